import GRDB
package import Reconciliation

extension SQLiteJournal: FreezeStore {
    /// One row: there are few, and they are changed together.
    static func createFreezes(in database: Database) throws {
        try database.execute(
            sql: "CREATE TABLE freezes (id INTEGER PRIMARY KEY CHECK (id = 1), json BLOB NOT NULL)"
        )
    }

    package func freezes() async throws(JournalError) -> FreezeBook {
        try await self.perform { database in
            let row = try Row.fetchOne(database, sql: "SELECT json FROM freezes")
            return try row.map { try Self.decode(FreezeBook.self, $0["json"]) } ?? FreezeBook()
        }
    }

    package func keep(_ book: FreezeBook) async throws(JournalError) {
        try await self.perform(writing: true) { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO freezes (id, json) VALUES (1, ?)",
                arguments: [try Self.encode(book)]
            )
        }
    }
}
