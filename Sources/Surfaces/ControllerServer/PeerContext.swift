import ControllerAPI
import Glibc
import Hummingbird
import NIOCore

/// A request, and who sent it.
struct PeerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Who has shown who they are; nothing on the socket, whose peer the kernel names.
    var remote: Access?
    /// Of somebody who has logged in on the page.
    var cookie: String?
    let channel: any Channel

    init(source: Source) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.channel = source.channel
    }

    /// The other end's address, without its port; nothing on the socket.
    var address: String? { self.channel.remoteAddress?.ipAddress }

    /// Who asks, and what they may do.
    ///
    /// - Throws: A `Problem` when the system does not say who is at the other end of the socket.
    func access() async throws -> Access {
        if let remote { return remote }
        let peer: Peer
        do {
            peer = try await self.peer()
        } catch {
            throw Problem(status: 403, title: "Unknown peer", detail: "the system does not say who asks: \(error)")
        }
        let name = await UserNames.shared.name(of: peer.user, on: self.channel.eventLoop)
        return Access(
            caller: Caller(name: name, way: .socket),
            grants: [Grant(role: peer.mayCommand() ? .admin : .viewer)]
        )
    }

    /// Whether something of the namespace may be read. Whoever can open the socket may read everything.
    func sees(_ namespace: String) -> Bool { self.remote?.sees(namespace) ?? true }

    /// Whether everything may be read, and nothing need be left out.
    var seesAll: Bool { self.remote?.seesAll ?? true }

    /// The user that the kernel says opened the connection.
    ///
    /// - Throws: When the socket is not a unix socket or the connection is gone.
    func peer() async throws -> Peer {
        guard let socket = self.channel as? any SocketOptionProvider else { throw ChannelError.operationUnsupported }
        let credentials: Credentials = try await socket.unsafeGetSocketOption(
            level: .socket,
            name: NIOBSDSocket.Option(rawValue: SO_PEERCRED)
        ).get()
        return Peer(user: credentials.user)
    }

    /// `struct ucred` of Linux's unix(7), that Glibc hides behind `_GNU_SOURCE`: three numbers of 32 bits.
    private struct Credentials {
        var process: Int32
        var user: UInt32
        var group: UInt32
    }
}
