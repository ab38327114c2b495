package import ArgumentParser

/// The commands that this module gives to the program, in the order of its help.
package enum ClientCommands {
    package static let all: [any ParsableCommand.Type] = [
        GetCommand.self, TopCommand.self, StatusCommand.self, ExplainCommand.self, HistoryCommand.self,
        EventsCommand.self,
        LogsCommand.self,
        PauseCommand.self,
        ResumeCommand.self, PromoteCommand.self, AbortCommand.self, RollbackCommand.self, UndoCommand.self,
        RetryCommand.self, PruneCommand.self, PromoteModelCommand.self, ValidateCommand.self, ImportCommand.self,
        PlanCommand.self,
        FreezeCommand.self, UnfreezeCommand.self, AuditCommand.self,
        SimulateCommand.self, ReplayCommand.self, JudgeCommand.self, CalibrateCommand.self, FeedbackCommand.self,
        TokenCommand.self, ContextCommand.self, WhoamiCommand.self,
        NotifyCommand.self,
        ConfigCommand.self,
    ]
}
