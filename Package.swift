// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "Fovea",
    products: [
        .library(name: "Fovea", targets: ["Fovea"]),
        .library(name: "FoveaGraph", targets: ["FoveaGraph"]),
        .library(name: "FoveaDatasets", targets: ["FoveaDatasets"]),
        .library(name: "FoveaPictures", targets: ["FoveaPictures"]),
        .library(name: "FoveaLayers", targets: ["FoveaLayers"]),
        .library(name: "FoveaRuntime", targets: ["FoveaRuntime"]),
        .library(name: "FoveaOneDNN", targets: ["FoveaOneDNN"]),
        .library(name: "FoveaXLA", targets: ["FoveaXLA"]),
        .library(name: "FoveaTraining", targets: ["FoveaTraining"]),
        .library(name: "FoveaMPI", targets: ["FoveaMPI"]),
        .library(name: "FoveaSaving", targets: ["FoveaSaving"]),
        .library(name: "FoveaVisualization", targets: ["FoveaVisualization"]),
        .executable(name: "fovea", targets: ["FoveaCommand"]),
    ],
    traits: [
        .trait(name: "Command", description: "The command `fovea`, which needs ArgumentParser."),
        .trait(name: "ProtocolBuffers", description: "ONNX and TensorBoard files, which need SwiftProtobuf."),
        .default(enabledTraits: ["Command", "ProtocolBuffers"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        .target(name: "FoveaFiles", dependencies: ["CZlib"]),
        .target(name: "FoveaGraph", dependencies: ["FoveaFiles"]),
        .target(name: "FoveaPictures", dependencies: ["FoveaGraph", "CPictures"]),
        .target(name: "FoveaDatasets", dependencies: ["FoveaPictures", "CZlib", "COpenSSL"]),
        .target(name: "FoveaLayers", dependencies: ["FoveaGraph"]),
        .target(name: "FoveaModels", dependencies: ["FoveaLayers"]),
        .target(name: "FoveaPlanner", dependencies: ["FoveaGraph"]),
        .target(name: "FoveaRuntime", dependencies: ["FoveaGraph", "CDevices"]),
        .target(name: "FoveaOneDNN", dependencies: ["FoveaPlanner", "FoveaRuntime", "CKernels"]),
        .target(name: "FoveaXLA", dependencies: ["FoveaRuntime", "CPJRT"]),
        .target(name: "FoveaSignal", dependencies: ["FoveaRuntime"]),
        .target(name: "FoveaTraining", dependencies: ["FoveaLayers", "FoveaDatasets", "FoveaRuntime"]),
        .target(name: "FoveaMPI", dependencies: ["FoveaTraining", "CMPI"]),
        .target(
            name: "FoveaSaving",
            dependencies: [
                "FoveaModels", "FoveaTraining", "CZip",
                .product(
                    name: "SwiftProtobuf", package: "swift-protobuf",
                    condition: .when(traits: ["ProtocolBuffers"])),
            ], exclude: ["ONNX/onnx.proto", "TensorBoard/event.proto"]),
        .target(
            name: "FoveaVisualization",
            dependencies: ["FoveaPictures", "FoveaSignal", "FoveaTraining", "CDrawing"]),
        .target(
            name: "Fovea",
            dependencies: ["FoveaMPI", "FoveaOneDNN", "FoveaXLA", "FoveaSaving", "FoveaVisualization"]),
        .executableTarget(
            name: "FoveaCommand",
            dependencies: [
                "Fovea",
                .product(
                    name: "ArgumentParser", package: "swift-argument-parser",
                    condition: .when(traits: ["Command"])),
            ]),

        .executableTarget(name: "Lessons", dependencies: ["Fovea"], path: "Examples/Lessons"),
        .executableTarget(
            name: "ResidualNetwork", dependencies: ["Fovea"], path: "Examples/ResidualNetwork"),

        .target(name: "CDevices"),
        .target(name: "CDrawing"),
        .target(name: "CMPI"),
        .target(name: "CPJRT"),
        .target(
            name: "CKernels", dependencies: ["COneDNN"],
            linkerSettings: [.linkedLibrary("dnnl"), .linkedLibrary("gomp"), .linkedLibrary("m")]),
        .target(
            name: "CPictures",
            linkerSettings: ["jpeg", "png", "gif", "webp", "webpdemux", "webpmux", "z"].map {
                .linkedLibrary($0)
            }),
        .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
        .systemLibrary(name: "CZip", providers: [.apt(["libzip-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),

        .target(name: "TestSupport", dependencies: ["FoveaOneDNN"], path: "Tests/TestSupport"),
        .testTarget(name: "FoveaFilesTests", dependencies: ["TestSupport"]),
        .testTarget(name: "FoveaGraphTests", dependencies: ["TestSupport"]),
        .testTarget(
            name: "FoveaPicturesTests", dependencies: ["FoveaPictures", "TestSupport"],
            resources: [.copy("Golden")]),
        .testTarget(
            name: "FoveaDatasetsTests", dependencies: ["FoveaDatasets", "TestSupport"],
            resources: [.copy("Golden")]),
        .testTarget(
            name: "FoveaLayersTests", dependencies: ["FoveaModels", "FoveaOneDNN", "FoveaSaving"],
            resources: [.copy("Golden")]),
        .testTarget(name: "FoveaPlannerTests", dependencies: ["TestSupport"]),
        .testTarget(name: "FoveaRuntimeTests", dependencies: ["TestSupport"]),
        .testTarget(name: "FoveaOneDNNTests", dependencies: ["TestSupport"]),
        .testTarget(
            name: "FoveaXLATests",
            dependencies: [
                "FoveaModels", "FoveaOneDNN", "FoveaSaving", "FoveaTraining", "FoveaXLA", "TestSupport",
            ]),
        .testTarget(
            name: "FoveaSignalTests", dependencies: ["FoveaSignal", "TestSupport"],
            resources: [.copy("Golden")]),
        .testTarget(
            name: "FoveaTrainingTests", dependencies: ["FoveaTraining", "FoveaModels", "TestSupport"],
            resources: [.copy("Golden")]),
        .testTarget(
            name: "FoveaSavingTests", dependencies: ["FoveaOneDNN", "FoveaSaving", "TestSupport"],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "FoveaVisualizationTests",
            dependencies: ["FoveaModels", "FoveaOneDNN", "FoveaSaving", "FoveaVisualization", "TestSupport"],
            resources: [.copy("Golden")]),
        .testTarget(name: "FoveaTests", dependencies: ["Fovea"]),
        .testTarget(name: "FoveaCommandTests", dependencies: ["FoveaCommand"]),
        .testTarget(name: "CKernelsTests", dependencies: ["CKernels", "FoveaGraph"]),
    ],
    swiftLanguageModes: [.v6]
)
