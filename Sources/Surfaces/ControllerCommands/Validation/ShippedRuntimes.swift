import Foundation

/// Where the ServingRuntimes are that come with the product.
package enum ShippedRuntimes {
    /// `CONTROLLER_RUNTIMES`, else `../share/controller/runtimes` beside the program's folder, else, for a program
    /// that runs from its build folder, `manifests/runtimes` of the checkout; nothing when none of them exists.
    package static func folder(environment: [String: String]) -> String? {
        let named = environment["CONTROLLER_RUNTIMES", default: ""]
        if !named.isEmpty { return named }
        let program: String
        do {
            program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        } catch {
            // Without /proc there is no way to look beside the program; --runtimes names the folder then.
            return nil
        }
        let share = URL(filePath: program).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "share/controller/runtimes").path
        let checkout = program.firstRange(of: "/.build/").map { match in
            String(program[..<match.lowerBound]) + "/manifests/runtimes"
        }
        return [share, checkout].compactMap(\.self).first { FileManager.default.fileExists(atPath: $0) }
    }
}
