import Foundation
import Glibc
package import Reconciliation

/// What a detached process is started with.
package struct SpawnRequest: Hashable, Sendable {
    /// An absolute path, or a name that is looked up in the `PATH` of `environment`.
    package var executable: String
    /// Without the program's own name.
    package var arguments: [String]
    /// The whole environment: nothing is inherited.
    package var environment: [String: String]
    package var workingDirectory: String?
    /// Where standard output and error are appended; `/dev/null` without.
    package var logFile: String?
    /// 0 keeps the controller's own.
    package var nice: Int
    /// From -1000 (never killed for lack of memory) to 1000 (first); 0 keeps the controller's own.
    package var oomScoreAdjustment: Int
    package var limits: Limits

    package struct Limits: Hashable, Sendable {
        /// Bytes of address space. Wrong for servers that map big files, so nobody sets it unasked.
        package var addressSpace: UInt64?
        package var openFiles: UInt64?

        package init(addressSpace: UInt64? = nil, openFiles: UInt64? = nil) {
            self.addressSpace = addressSpace
            self.openFiles = openFiles
        }
    }

    package init(
        executable: String,
        arguments: [String] = [],
        environment: [String: String] = [:],
        workingDirectory: String? = nil,
        logFile: String? = nil,
        nice: Int = 0,
        oomScoreAdjustment: Int = 0,
        limits: Limits = Limits()
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.logFile = logFile
        self.nice = nice
        self.oomScoreAdjustment = oomScoreAdjustment
        self.limits = limits
    }

    /// The path of the program.
    ///
    /// - Throws: `spawnFailed` for the operator when there is no such program.
    package func resolvedExecutable() throws(PlatformError) -> String {
        if self.executable.hasPrefix("/") {
            guard Self.isProgram(self.executable) else {
                throw .missingProgram("\(self.executable) does not exist or is not executable: install it")
            }
            return self.executable
        }
        guard !self.executable.isEmpty, !self.executable.contains("/") else {
            throw .missingProgram(
                "the program `\(self.executable)` is a relative path: write an absolute one, or a name found in PATH"
            )
        }
        let path = self.environment["PATH"] ?? ""
        for folder in path.split(separator: ":") where folder.hasPrefix("/") {
            let candidate = "\(folder)/\(self.executable)"
            if Self.isProgram(candidate) { return candidate }
        }
        throw .missingProgram("no program `\(self.executable)` in PATH (\(path)): install it, or write its whole path")
    }

    static func isProgram(_ path: String) -> Bool {
        // Not `stat`: in one module with NIO, whose headers define it is a matter of luck.
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
            && access(path, X_OK) == 0
    }
}

extension PlatformError {
    fileprivate static func missingProgram(_ message: String) -> PlatformError {
        PlatformError(code: .spawnFailed, message: message, recovery: .needsOperator)
    }
}
