#if ProtocolBuffers
    import Foundation
    import FoveaFiles
    import FoveaGraph
    import FoveaTraining
    import Glibc

    /// The event file of one of TensorBoard's runs, which are folders.
    struct EventWriter {
        private var file: RecordFile
        private var waiting: [UInt8] = []
        private var writing = RepeatedWriting()

        /// Whether the folder had event files before.
        let hasEarlierFiles: Bool

        var failure: FileError? { writing.failure }

        /// Makes the folder and chooses a name that no file there has; the file is made with its first event.
        ///
        /// - Throws: `FileError` when the folder cannot be made or no file can be made in it.
        init(folder: String) throws(FileError) {
            do throws(SystemError) { try makeFolder(folder) } catch {
                throw FileError(path: folder, operation: .create, code: error.code)
            }
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            hasEarlierFiles = names.contains { $0.contains("tfevents") }
            let name = "\(folder)/events.out.tfevents.\(Int(Self.now)).\(Self.host).\(getpid())"
            var number = 0
            while access("\(name).\(number)", F_OK) == 0 { number += 1 }
            file = RecordFile(path: "\(name).\(number)")
            try AtomicFile.checkWritable(file.path)
        }

        /// Keeps values for the next `flush`.
        ///
        /// - Parameter step: the place on TensorBoard's horizontal axis.
        mutating func add(_ values: [EventFileValue], step: Int) throws {
            guard !values.isEmpty else { return }
            if file.byteCount == 0, waiting.isEmpty {
                waiting += try EventFileEvent.version(time: Self.now).record()
            }
            waiting += try EventFileEvent(values, step: step, time: Self.now).record()
        }

        /// Writes what was added. What cannot be written is a warning, and stays for the next time.
        @Compute
        mutating func flush(_ run: TrainingRun) throws {
            guard !waiting.isEmpty else { return }
            let records = waiting
            if try writing.attempt(run, file.path, { try file.append(records) }) { waiting = [] }
        }

        static var now: Double { Date().timeIntervalSince1970 }

        /// The machine's name, as far as it can be part of a file's.
        private static let host: String = {
            var name = [CChar](repeating: 0, count: 65)
            gethostname(&name, 64)
            let bytes = name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
            let text = String(decoding: bytes, as: UTF8.self).filter {
                $0.isLetter || $0.isNumber || $0 == "-"
            }
            return text.isEmpty ? "localhost" : text
        }()
    }
#endif
