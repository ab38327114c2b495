import ControllerAPI

extension DeploymentStatus {
    var styledHealth: StyledText { StyledText(self.health.rawValue, self.health.style) }
}

extension DeploymentStatus.Health {
    var style: StyledText.Style {
        switch self {
        case .healthy: .green
        case .progressing: .cyan
        case .held: .yellow
        case .degraded: .red
        case .unknown: .dim
        }
    }
}
