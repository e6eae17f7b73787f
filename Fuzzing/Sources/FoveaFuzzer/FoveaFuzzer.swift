import Foundation

/// Takes any bytes and gives nothing back: all it has to do is return.
typealias Reader = @Sendable ([UInt8]) -> Void

/// By the names that FOVEA_READER in the environment may have.
private let readers: [String: Reader] = [pictureReaders, fileReaders, modelReaders].reduce([:]) {
    $0.merging($1) { $1 }
}

private let reader: Reader? = readers[ProcessInfo.processInfo.environment["FOVEA_READER"] ?? ""]

/// Called by libFuzzer once, before the first input.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafePointer<CInt>?, _ arguments: UnsafeRawPointer?) -> CInt {
    if reader == nil {
        print("Set FOVEA_READER to one of: \(readers.keys.sorted().joined(separator: " "))")
        exit(2)
    }
    return 0
}

/// Called by libFuzzer with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    reader?([UInt8](UnsafeBufferPointer(start: start, count: count)))
    return 0
}
