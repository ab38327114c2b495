import ControllerAPI
import Glibc

/// The user at the other end of the socket.
struct Peer: Hashable, Sendable {
    var user: UInt32

    /// Root and the controller's own user. The socket's mode already keeps everybody else out; this holds should
    /// somebody loosen it.
    func mayCommand(owner: UInt32 = geteuid()) -> Bool {
        self.user == 0 || self.user == owner
    }
}

extension Caller {
    /// Who is recorded as having asked: the kernel's word, and in brackets what the client says about the person
    /// behind a `sudo`, which nobody has verified: `root (sudo: alice)`. Over the network nobody is taken at their
    /// word.
    func attribution(claim: String) -> String {
        guard self.way == .socket, claim != self.name, !claim.isEmpty, claim.utf8.count <= 64,
            claim.wholeMatch(of: /[A-Za-z0-9._-]+/) != nil
        else { return self.attribution }
        return "\(self.name) (sudo: \(claim))"
    }
}
