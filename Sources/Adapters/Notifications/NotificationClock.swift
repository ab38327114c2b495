package import Deployments

/// The time of a delivery, which is part of what is signed and of a mail's header.
package typealias NotificationClock = @Sendable () -> Timestamp
