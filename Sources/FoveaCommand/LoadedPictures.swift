import Fovea

/// The pictures of a folder in batches without end, loaded ahead as for training.
@Compute
final class LoadedPictures {
    private var batches: LoadedDataset<Examples>.Iterator

    nonisolated init(
        of path: String, for work: MeasuredWork, augmentation: Augmentation?, threads: Int?
    ) throws {
        let folder = try ImageFolder.splits(of: path)?.train ?? ImageFolder(path)
        let (shape, seed) = (work.imageShape, UInt64(0))
        let form = TrainingData.Form(work.network, size: Size2D(shape[0], shape[1]))
        var examples = try Dataset(folder, form).shuffled(seed: seed).repeated()
        if let augmentation { examples = examples.augmented(augmentation, seed: seed) }
        batches = try examples.batched(work.batch).loaded(threads: threads).makeAsyncIterator()
    }

    func next() throws { _ = try batches.nextBlocking() }
}
