import FoveaFiles
import FoveaGraph
import Testing

@testable import FoveaSaving

@Suite struct HDF5WriterTests {
    private func tensor(_ type: StoredType, _ shape: Shape) throws -> HDF5Dataset {
        let bytes = (0..<shape.elementCount * type.byteCount).map {
            UInt8(truncatingIfNeeded: type == .bool ? $0 & 1 : $0 * 37)
        }
        return HDF5Dataset(
            tensor: try #require(StoredTensor(name: "", shape: shape, type: type, bytes: bytes[...])))
    }

    private func file(members: [(name: String, object: HDF5Object)]) -> HDF5File {
        HDF5File(root: HDF5Group(members: members))
    }

    private func expectRoundTrip(_ file: HDF5File) throws {
        let bytes = try file.serialized()
        let back = try HDF5File(parsing: bytes, file: "back.h5")
        let (expected, found) = (described(file), described(back))
        #expect(Set(found.keys) == Set(expected.keys))
        for (path, object) in expected {
            #expect(found[path]?.data == object.data, "\(path)")
            #expect(found[path]?.attributes == object.attributes, "\(path)")
        }
        // Once it is in the order of the file, it stays as it is to the byte.
        let again = try back.serialized()
        #expect(try HDF5File(parsing: again, file: "again.h5").serialized() == again)
        #expect(try file.serialized() == bytes)
    }

    @Test(arguments: try HDF5Golden.shared.get().accepted)
    func whatH5pyWroteComesBack(_ golden: HDF5Golden.Accepted) throws {
        try expectRoundTrip(HDF5File(parsing: Array(golden.file), file: golden.name))
    }

    @Test(arguments: StoredType.allCases, [[], [0], [1], [3, 1, 2], [2, 0]] as [Shape])
    func everyTypeAndShapeComesBack(type: StoredType, shape: Shape) throws {
        try expectRoundTrip(file(members: [("data", .dataset(tensor(type, shape)))]))
    }

    /// 8 fill a leaf, 256 a node above, 8,192 two levels.
    @Test(arguments: [0, 1, 8, 9, 256, 257, 8193])
    func anyNumberOfMembersComesBack(count: Int) throws {
        let members = (0..<count).map { (name: "member \($0)", object: HDF5Object.group(HDF5Group())) }
        let back = try HDF5File(parsing: file(members: members.shuffled()).serialized(), file: "f.h5")
        let names = members.map(\.name).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        #expect(back.root.members.map(\.name) == names)
    }

    @Test func textsOfAnyLengthComeBack() throws {
        // Around the size of a collection of texts, and the remainders that leave no room for a mark.
        let texts =
            (0...17).map { String(repeating: "x", count: 4040 + $0) } + [
                "", "ä🦊", String(repeating: "ü", count: 45_000),
            ]
        var root = HDF5Group()
        for (i, text) in texts.enumerated() { root.attributes.append(("text \(i)", .string(text))) }
        root.attributes.append(("all", .strings(texts)))
        root.attributes.append(("many", .strings((0..<4000).map { "\($0)" })))
        try expectRoundTrip(HDF5File(root: root))
    }

    @Test func emptyListsAreWrittenAsByH5py() throws {
        let root = HDF5Group(attributes: [("weight_names", .strings([]))])
        let back = try HDF5File(parsing: HDF5File(root: root).serialized(), file: "f.h5")
        let tensor = try #require(back.root.attribute("weight_names")?.tensor)
        #expect(tensor.type == .float64)
        #expect(tensor.shape == [0])
    }

    private func problem(_ root: HDF5Group) throws -> String {
        let error = #expect(throws: ModelFileError.self) {
            try HDF5File(root: HDF5Group(members: [("group", .group(root))])).serialized(file: "f.h5")
        }
        return try #require(error).description
    }

    @Test(arguments: ["", ".", "a/b", "a\0b"])
    func namesThatHDF5LacksAreRefused(name: String) throws {
        #expect(
            try problem(HDF5Group(members: [(name, .group(HDF5Group()))])).contains(
                "no object can have this name"))
    }

    @Test func twoOfANameAreRefused() throws {
        let member = (name: "b", object: HDF5Object.group(HDF5Group()))
        let other = (name: "a", object: HDF5Object.group(HDF5Group()))
        #expect(
            try problem(HDF5Group(members: [member, other, member]))
                == "f.h5: 'group/b': two objects have this name")
        #expect(
            try problem(HDF5Group(attributes: [("a", .string("1")), ("a", .string("2"))]))
                == #"f.h5: 'group': two attributes are called "a""#)
    }

    @Test func attributesThatAreTooLargeAreRefused() throws {
        func root(_ count: Int) throws -> HDF5Group {
            let bytes = [UInt8](repeating: 1, count: count)[...]
            let tensor = try #require(StoredTensor(name: "", shape: [count], type: .uint8, bytes: bytes))
            return HDF5Group(attributes: [("a", .tensor(tensor))])
        }
        // The rest of the message are its head (8), the name (8), the type (16) and the extents (16).
        try expectRoundTrip(HDF5File(root: root(65480)))
        #expect(
            try problem(root(65481)).contains(
                #"'group': attribute "a": 65481 bytes are more than HDF5 allows"#))
        #expect(try problem(HDF5Group(attributes: [("a", .string("a\0b"))])).contains("NUL"))
        #expect(
            try problem(HDF5Group(attributes: [("", .string("a"))])).contains(
                #"no attribute can be called """#))
    }

    @Test func whatIsTooDeepIsRefused() throws {
        var root = HDF5Group()
        for _ in 0..<64 { root = HDF5Group(members: [("g", .group(root))]) }
        try expectRoundTrip(HDF5File(root: root))
        #expect(try problem(root).contains("nested more than 64 deep"))
    }
}
