import Foundation
import Fovea

/// A lesson, which says and draws as it goes on.
@MainActor
protocol Lesson {
    static var number: Int { get }
    static var title: String { get }
    init(course: Course)
    func run() async throws
}

/// What a lesson works with: its length, the data of this machine, a folder for its figures, and a list of what came out.
@MainActor
final class Course {
    /// A number that a lesson came to.
    struct Result {
        let lesson: Int
        let what: String
        let value: Double
        /// What the lesson this follows has printed, if it did.
        let published: Double?
        /// Why it cannot be compared with what was published, such as other data; empty when it can.
        let remark: String
    }

    let isFull: Bool
    let data: LessonData
    private let number: Int
    private let folder: String
    private(set) var results: [Result] = []

    init(_ lesson: any Lesson.Type, isFull: Bool, output: String, weights: String?) throws {
        self.isFull = isFull
        data = LessonData(weights: weights)
        number = lesson.number
        folder = "\(output)/lesson-\(lesson.number)"
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw Lessons.Problem(
                text:
                    "\(folder): this folder cannot be made: \(error.localizedDescription) Choose another --output"
            )
        }
        print("\nLesson \(number): \(lesson.title)\n")
    }

    /// The length of the lesson that it follows, or a shorter one.
    func choose<Value>(full: Value, quick: Value) -> Value { isFull ? full : quick }

    /// All examples, or the first ones in the quick form.
    func shortened(_ examples: Examples, to count: Int) throws -> Examples {
        isFull ? examples : try examples.prefix(count)
    }

    /// A heading.
    func section(_ title: String) { say("\n-- \(title)") }

    /// Prints at once, also to a file or another program.
    private func say(_ text: String) {
        print(text)
        fflush(nil)
    }

    /// The path of a file of this lesson.
    func file(_ name: String) -> String { "\(folder)/\(name)" }

    /// Writes a figure to a file of this lesson.
    func show(_ figure: Figure, _ name: String) throws {
        try figure.write(to: file(name))
        say("   figure: \(file(name))")
    }

    /// Prints a number, and takes it into the table that comes last.
    ///
    /// - Parameters:
    ///   - what: what the number is.
    ///   - value: the number.
    ///   - published: what the lesson that this follows has printed, if it did.
    ///   - isShortened: whether the quick form of this lesson comes to another number.
    ///   - remark: why it cannot be compared, such as other data; empty when it can.
    func record(
        _ what: String, _ value: Double, published: Double? = nil, isShortened: Bool = true,
        remark: String = ""
    ) {
        let shortened = isShortened && !isFull ? ["shortened"] : []
        let remark = (shortened + [remark]).filter { !$0.isEmpty }.joined(separator: ", ")
        let result = Result(lesson: number, what: what, value: value, published: published, remark: remark)
        results.append(result)
        say("   \(result.line)")
    }

    /// Prints what all lessons came to, and writes it as a table.
    static func report(_ results: [Result], isFull: Bool, to folder: String) throws {
        var table = "| lesson | result | here | published | remark |\n|---:|---|---:|---:|---|\n"
        print("\nResults")
        for result in results {
            print("   lesson \(result.lesson): \(result.line)")
            table += "| \(result.lesson) | \(result.what) | \(Result.text(result.value)) | "
            table += "\(result.published.map(Result.text) ?? "–") | \(result.remark) |\n"
        }
        let path = "\(folder)/\(isFull ? "results-full" : "results").md"
        try AtomicFile.write(Array(table.utf8), to: path)
        print("   table: \(path)")
    }
}

extension Course.Result {
    static func text(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e9 ? "\(Int(value))" : String(format: "%.4f", value)
    }

    var line: String {
        let beside = published.map { ", published \(Self.text($0))" } ?? ""
        return "\(what): \(Self.text(value))\(beside)\(remark.isEmpty ? "" : " (\(remark))")"
    }
}
