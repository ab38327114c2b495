import Dispatch
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import ControllerServer

@Suite("A peer's name")
struct UserNameTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.any()

    @Test
    func `is the system's`() async {
        let names = UserNames.shared
        #expect(await names.name(of: 0, on: self.loop, atMost: .seconds(60)) == "root")
        #expect(await names.name(of: 4_000_000_000, on: self.loop, atMost: .seconds(60)) == "uid 4000000000")
    }

    @Test
    func `is its number while the system's directory does not answer, and nobody waits for that`() async {
        let door = DispatchSemaphore(value: 0)
        let names = UserNames { user in
            door.wait()
            return "user-\(user)"
        }
        for user in [7, 8, 7] as [UInt32] {
            #expect(await names.name(of: user, on: self.loop, atMost: .milliseconds(20)) == "uid \(user)")
        }
        for _ in 0..<3 { door.signal() }
        #expect(await names.name(of: 8, on: self.loop, atMost: .seconds(60)) == "user-8")
    }

    @Test
    func `is asked for by few at a time, however many come while the directory hangs`() async {
        let door = DispatchSemaphore(value: 0)
        let asked = Mutex(0)
        let names = UserNames { _ in
            asked.withLock { $0 += 1 }
            door.wait()
            return nil
        }
        for user in 1...100 as ClosedRange<UInt32> {
            #expect(await names.name(of: user, on: self.loop, atMost: .milliseconds(1)) == "uid \(user)")
        }
        for _ in 0..<100 { door.signal() }
        // Behind all that was kept.
        _ = await names.name(of: 101, on: self.loop, atMost: .seconds(60))
        #expect(asked.withLock { $0 } <= 65)
    }

    @Test
    func `is asked for once`() async {
        let asked = Mutex(0)
        let names = UserNames { user in
            asked.withLock { $0 += 1 }
            return "user-\(user)"
        }
        for _ in 0..<5 { #expect(await names.name(of: 9, on: self.loop, atMost: .seconds(60)) == "user-9") }
        #expect(asked.withLock { $0 } == 1)
    }
}
