import FoveaGraph

/// A variable's value in a device's memory. It is copied only when it is read or written from outside.
final class DeviceStorage: VariableStorage {
    let client: Client
    private let type: TensorType
    private var buffer: Buffer

    init(_ client: Client, _ type: TensorType, _ buffer: Buffer) {
        (self.client, self.type, self.buffer) = (client, type, buffer)
    }

    /// A variable's place on a device: where it is, or where it goes now.
    static func of(_ variable: Variable, on client: Client) throws -> DeviceStorage {
        if let present = present(variable, on: client) { return present }
        let storage = DeviceStorage(client, variable.type, try client.send(variable.value()))
        variable.move(to: storage)
        return storage
    }

    /// Lets a variable have what a run has computed.
    static func replace(_ variable: Variable, by buffer: Buffer, on client: Client) {
        if let present = present(variable, on: client) {
            present.buffer = buffer
        } else {
            variable.move(to: DeviceStorage(client, variable.type, buffer))
        }
    }

    private static func present(_ variable: Variable, on client: Client) -> DeviceStorage? {
        guard let storage = variable.currentStorage as? DeviceStorage, storage.client === client else {
            return nil
        }
        return storage
    }

    /// What a program is given to read the value. It is good while the storage is and has not been written to.
    var handle: OpaquePointer { buffer.handle }

    /// Whether a copy has the same memory.
    var isShared: Bool { !isKnownUniquelyReferenced(&buffer) }

    func read() throws -> TensorValue { try client.fetch(buffer, type) }

    func write(_ value: TensorValue) throws { buffer = try client.send(value) }

    /// Shares the memory, which no run takes for other numbers while there is a copy.
    func copied(reusing earlier: (any VariableStorage)?) -> any VariableStorage {
        DeviceStorage(client, type, buffer)
    }
}
