import FoveaGraph
import Testing

@testable import FoveaSaving

@Suite struct HDF5ReaderTests {
    @Test(arguments: try HDF5Golden.shared.get().accepted)
    func everythingIsReadAsByH5py(_ golden: HDF5Golden.Accepted) throws {
        let objects = described(try HDF5File(parsing: Array(golden.file), file: golden.name))
        #expect(Set(objects.keys) == Set(golden.objects.map(\.path)))
        for expected in golden.objects {
            let object = try #require(objects[expected.path])
            #expect(object.data == expected.data, "\(expected.path)")
            #expect(Set(object.attributes.keys) == Set(expected.attributes.map(\.name)), "\(expected.path)")
            for attribute in expected.attributes {
                #expect(
                    object.attributes[attribute.name] == attribute.value, "\(expected.path) \(attribute.name)"
                )
            }
        }
    }

    @Test(arguments: try HDF5Golden.shared.get().refused)
    func whatIsNotReadIsNamed(_ golden: HDF5Golden.Refused) throws {
        let error = #expect(throws: ModelFileError.self) {
            try HDF5File(parsing: Array(golden.file), file: "f.h5")
        }
        #expect(error?.file == "f.h5")
        #expect(error?.problem.contains(golden.problem) == true, "\(error?.problem ?? "")")
    }

    @Test func membersAndAttributesAreFoundByTheirNames() throws {
        let root = try HDF5File(parsing: HDF5Golden.file("earliest"), file: "f.h5").root
        let scalar = try #require(root["model_weights/layer/with:0/ünïcode/scalar"]?.dataset)
        #expect(try scalar.tensor.value(file: "f.h5") == TensorValue(0.1))
        #expect(scalar.tensor.name == "model_weights/layer/with:0/ünïcode/scalar")
        let group = try #require(root["model_weights"]?.group)
        #expect(group["f4"]?.dataset?.tensor.shape == [2, 3])
        #expect(group.attribute("layer_names")?.strings == ["conv2d", "größe", ""])
        #expect(group.attribute("no_names")?.strings == [])
        #expect(group.attribute("array")?.strings == nil)
        #expect(group["bfloat16"]?.dataset?.tensor.type == .bfloat16)
        #expect(group["bfloat16"]?.attributes.map(\.name) == ["other"])
        #expect(root["model_weights/nothing"] == nil)
        #expect(root["model_weights/f4/nothing"] == nil)
        #expect(root["nothing/f4"] == nil)
        #expect(root.attribute("fixed")?.string == "backend")
        #expect(root.attribute("nothing") == nil)
    }

    @Test func dataAreSharedWithTheFile() throws {
        let bytes = try HDF5Golden.file("earliest")
        let root = try HDF5File(parsing: bytes, file: "f.h5").root
        let tensor = try #require(root["model_weights/f4"]?.dataset).tensor
        let isShared = bytes.withUnsafeBytes { all in
            tensor.bytes.withUnsafeBytes { part in
                all.baseAddress.map { $0 + tensor.bytes.startIndex } == part.baseAddress
            }
        }
        #expect(isShared)
    }
}
