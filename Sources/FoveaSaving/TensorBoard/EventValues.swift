#if ProtocolBuffers
    import Foundation
    import FoveaFiles
    import FoveaLayers
    import SwiftProtobuf

    /// What TensorBoard shows, in the form that its plugins read.
    extension EventFileValue {
        static func scalar(_ tag: String, _ value: Double) -> EventFileValue {
            EventFileValue.with {
                $0.tag = tag
                $0.simpleValue = Float(value)
            }
        }

        static func text(_ tag: String, _ text: String) -> EventFileValue {
            value(tag, plugin: "text", .tensor, .texts([Data(text.utf8)], shape: []))
        }

        /// A picture with the PNG file that it is.
        static func image(_ tag: String, height: Int, width: Int, png: Data) -> EventFileValue {
            let texts = [Data("\(width)".utf8), Data("\(height)".utf8), png]
            return value(tag, plugin: "images", .blobSequence, .texts(texts, shape: [3]))
        }

        static func histogram(_ tag: String, _ histogram: Histogram) -> EventFileValue {
            let numbers = histogram.buckets.flatMap { [$0.lowerBound, $0.upperBound, $0.count] }
            let tensor = EventFileTensor.with {
                $0.dtype = .dtDouble
                $0.tensorShape = .with { $0.dim = [.extent(histogram.buckets.count), .extent(3)] }
                $0.tensorContent = Data(
                    numbers.flatMap { number in
                        withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) }
                    })
            }
            return value(tag, plugin: "histograms", .tensor, tensor)
        }

        /// The row of a run in the table of hyperparameters.
        static func sessionStart(
            _ hyperparameters: Configuration, time: Double
        ) throws -> EventFileValue {
            let start = EventFileSessionStart.with { start in
                start.startTimeSecs = time
                for (name, value) in hyperparameters {
                    start.hparams[name] = EventFileHyperparameterValue(value)
                }
            }
            return try session("_hparams_/session_start_info", .with { $0.sessionStartInfo = start })
        }

        static func sessionEnd(_ status: EventFileStatus, time: Double) throws -> EventFileValue {
            let end = EventFileSessionEnd.with {
                $0.status = status
                $0.endTimeSecs = time
            }
            return try session("_hparams_/session_end_info", .with { $0.sessionEndInfo = end })
        }

        private static func session(_ tag: String, _ data: EventFileHyperparameters) throws -> EventFileValue
        {
            // The plugin takes only values that have a number.
            let tensor = EventFileTensor.with {
                $0.dtype = .dtFloat
                $0.tensorShape = .with { $0.dim = [.extent(1)] }
                $0.tensorContent = Data(count: 4)
            }
            var value = value(tag, plugin: "hparams", .tensor, tensor)
            value.metadata.pluginData.content = try data.serializedBytes(
                partial: false, options: deterministically)
            return value
        }

        private static func value(
            _ tag: String, plugin: String, _ dataClass: EventFileDataClass, _ tensor: EventFileTensor
        ) -> EventFileValue {
            EventFileValue.with {
                $0.tag = tag
                $0.tensor = tensor
                $0.metadata = .with {
                    $0.pluginData = .with { $0.pluginName = plugin }
                    $0.dataClass = dataClass
                }
            }
        }

        static let deterministically = {
            var options = BinaryEncodingOptions()
            options.useDeterministicOrdering = true
            return options
        }()
    }

    extension EventFileEvent {
        /// What a file begins with.
        static func version(time: Double) -> EventFileEvent {
            EventFileEvent.with {
                $0.wallTime = time
                $0.fileVersion = "brain.Event:2"
            }
        }

        init(_ values: [EventFileValue], step: Int, time: Double) {
            wallTime = time
            self.step = Int64(step)
            summary = .with { $0.value = values }
        }

        func record() throws -> [UInt8] { RecordFile.record(try serializedBytes()) }
    }

    extension EventFileTensor {
        fileprivate static func texts(_ texts: [Data], shape: [Int]) -> EventFileTensor {
            EventFileTensor.with {
                $0.dtype = .dtString
                $0.tensorShape = .with { $0.dim = shape.map(EventFileDimension.extent) }
                $0.stringVal = texts
            }
        }
    }

    extension EventFileDimension {
        fileprivate static func extent(_ extent: Int) -> EventFileDimension {
            .with { $0.size = Int64(extent) }
        }
    }

    extension EventFileHyperparameterValue {
        fileprivate init(_ value: ConfigurationValue) {
            self.init()
            switch value {
            case .bool(let value): boolValue = value
            case .integer(let value): numberValue = Double(value)
            case .number(let value): numberValue = value
            case .string(let text): stringValue = text
            case .null: stringValue = "none"
            case .list, .object:
                let encoder = JSONEncoder()
                encoder.outputFormatting = .sortedKeys
                stringValue = (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "…"
            }
        }
    }
#endif
