import FoveaGraph
import Testing

@testable import FoveaDatasets

@Suite struct AugmentationTextTests {
    @Test func textOfTheCommandLine() throws {
        let augmentation = try Augmentation(
            parsing: "rotation=40,shift=0.2,shear=0.2,zoom=0.2,flip=horizontal, brightness = 0.2")
        #expect(
            try augmentation
                == Augmentation(
                    rotationRange: 40, widthShiftRange: 0.2, heightShiftRange: 0.2, brightnessRange: 0.2,
                    shearRange: 0.2, zoomRange: 0.2, horizontalFlip: true))
        #expect(
            augmentation.description
                == "rotation=40,shift=0.2,shear=0.2,zoom=0.8:1.2,flip=horizontal,brightness=0.8:1.2")
        #expect(try Augmentation(parsing: "") == Augmentation())
        #expect(try Augmentation(parsing: "shift=0.5,height-shift=3").heightShiftRange == 3)
        #expect(try Augmentation(parsing: "crop=24x32").crop == .random(size: [24, 32]))
        #expect(
            try Augmentation(parsing: "resized-crop=64").crop
                == .resized(size: 64, area: 0.08...1, aspectRatio: 0.75...4 / 3))
        #expect(try Augmentation(parsing: "zca=1e-3").zcaEpsilon == 1e-3)
        #expect(try Augmentation(parsing: "erase=0.5").erasing == Augmentation.Erasing())
    }

    @Test func textAndBack() throws {
        let all = try [
            Augmentation(), AugmentationTests.everything(),
            Augmentation(widthShiftRange: 0.1, verticalFlip: true, crop: .random(size: [3, 5])),
            Augmentation(
                heightShiftRange: 12.5, fillMode: .constant, fillValue: -0.125, sampling: .nearest,
                horizontalFlip: true, verticalFlip: true, crop: .random(size: 7, padding: 2)),
            Augmentation(
                zoomRange: [0.1, 1e-1 + 1.0 / 3], erasing: .init(area: 0.1...0.1, aspectRatio: 1...1),
                featurewiseCenter: true, samplewiseCenter: true),
            Augmentation(featurewiseStdNormalization: true, samplewiseStdNormalization: true),
            Augmentation(featurewiseStdNormalization: true, zcaWhitening: true, zcaEpsilon: 1e-20),
            Augmentation(zcaWhitening: true, zcaEpsilon: 0),
        ]
        for augmentation in all {
            let text = augmentation.description
            #expect(try Augmentation(parsing: text) == augmentation, "\(text)")
        }
        #expect(Set(all.map(\.description)).count == all.count)
    }

    @Test(arguments: [
        ("rotaton=40", "did you mean 'rotation'?"), ("Rotation=40", "did you mean 'rotation'?"),
        ("elastic=3", "known are brightness, center, channel-shift"),
        ("rotation", "write name=value"), ("rotation=", "write name=value"), ("=4", "write name=value"),
        (",", "write name=value"), ("rotation=4,", "write name=value"), ("rotation=4,rotation=5", "twice"),
        ("rotation=much", "expected a number"), ("rotation=nan", "expected a number"),
        ("rotation=inf", "expected a number"), ("rotation=-3", "must be from 0"),
        ("zoom=1", "positive factors"), ("zoom=1.2:0.8", "smaller one first"), ("zoom=1:2:3", "two factors"),
        ("zoom=:", "two factors"), ("flip=sideways", "horizontal, vertical, both"),
        ("fill=mirror", "nearest, constant, reflect, wrap"), ("crop=0", "from 1 to 8192"),
        ("crop=3x4x5", "height and width"), ("crop=x", "height and width"), ("crop=3.5", "height and width"),
        ("crop=99999999999999999999", "height and width"), ("crop=4,resized-crop=4", "one crop"),
        ("crop-padding=4", "needs a crop"), ("crop=8,crop-area=0.1:1", "need a resized crop"),
        ("resized-crop=8,crop-area=1:0.1", "smaller one first"), ("erase-value=4", "need erasing"),
        ("erase=2", "from 0 to 1"), ("resized-crop=8,crop-ratio=0:1", "aspect ratio"),
    ])
    func messages(text: String, message: String) {
        let error = #expect(throws: DatasetError.self) { try Augmentation(parsing: text) }
        #expect(error?.kind == .invalidArgument)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test func longNamesAreCut() {
        let error = #expect(throws: DatasetError.self) {
            try Augmentation(parsing: String(repeating: "y", count: 100_000) + "=1")
        }
        #expect(error?.message.count ?? .max < 600)
    }
}
