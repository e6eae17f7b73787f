// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that users of Fovea neither build nor see it. `make fuzz` builds and runs it.
let package = Package(
    name: "FoveaFuzzing",
    dependencies: [.package(name: "Fovea", path: "..")],
    targets: [
        .executableTarget(
            name: "FoveaFuzzer",
            dependencies: [
                .product(name: "FoveaDatasets", package: "Fovea"),
                .product(name: "FoveaPictures", package: "Fovea"),
                .product(name: "FoveaSaving", package: "Fovea"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
