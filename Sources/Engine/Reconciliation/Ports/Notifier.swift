package import Deployments

/// Somebody outside who is told what happens to deployments.
package protocol Notifier: Sendable {
    /// The receiver's name in the configuration.
    var name: String { get }
    /// Whether what belongs together comes as one message; programs want each event by itself.
    var wantsGroups: Bool { get }

    /// Sends one message. A second time may reach the receiver twice: the ids of its notices say so.
    ///
    /// - Returns: What the receiver answered, in words.
    /// - Throws: A `NotificationError`; with ``NotificationError/Code/refused`` the message is given up.
    func send(_ message: NoticeMessage) async throws(NotificationError) -> String
}

/// Somebody outside who is told what is the case, again and again as long as it lasts.
package protocol AlertReceiver: Sendable {
    /// The receiver's name in the configuration.
    var name: String { get }

    /// Shows alerts, those that have ended among them.
    ///
    /// - Returns: What the receiver answered, in words.
    /// - Throws: A `NotificationError`: all are shown again later.
    func show(_ alerts: [ShownAlert]) async throws(NotificationError) -> String
}

/// Those who are told of what happens, and who of them of what.
package struct Receivers: Sendable {
    package var notifiers: [any Notifier]
    package var alerts: [any AlertReceiver]
    package var routes: NoticeRoutes

    package init(
        notifiers: [any Notifier] = [],
        alerts: [any AlertReceiver] = [],
        routes: NoticeRoutes = NoticeRoutes()
    ) {
        self.notifiers = notifiers
        self.alerts = alerts
        self.routes = routes
    }
}

/// One incident, as a receiver is told of it.
package struct NoticeMessage: Hashable, Sendable {
    /// At least one, oldest first.
    package var notices: [Notice]
    /// How many others were dropped before, as the receiver did not take them for too long.
    package var leftOut: Int

    package init(notices: [Notice], leftOut: Int = 0) {
        self.notices = notices
        self.leftOut = leftOut
    }
}

/// A condition, and until when it is shown.
package struct ShownAlert: Hashable, Sendable {
    package var alert: Alert
    /// Later than now: it lasts, and is shown again before then. Otherwise it ended then.
    package var ends: Timestamp

    package init(alert: Alert, ends: Timestamp) {
        self.alert = alert
        self.ends = ends
    }
}

package struct NotificationError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case unreachable, timedOut
        /// The receiver will not take this message, however often it is sent.
        case refused
        /// A file of the receiver cannot be used. It may be mended.
        case notConfigured
    }

    package var code: Code
    /// What happened and what to do; without secrets.
    package var message: String
    package var recovery: Recovery

    package init(code: Code, message: String, recovery: Recovery) {
        self.code = code
        self.message = message
        self.recovery = recovery
    }

    package var description: String { self.message }
}
