import ControllerCommands
import Testing

@Suite("Redaction")
struct RedactionTests {
    @Test(arguments: [
        ("fetching https://ada:hunter2@git.example/x failed", "hunter2"),
        ("fetching https://hunter2token@git.example/x failed", "hunter2token"),
        ("GET https://s3.example/m?X-Amz-Signature=abc123def&x=1", "abc123def"),
        ("url=https://x.example/?access_token=abc123def", "abc123def"),
        ("authorization: Bearer abc.def-ghi123", "abc.def-ghi123"),
        ("sent Authorization Basic dXNlcjpodW50ZXIy", "dXNlcjpodW50ZXIy"),
        ("environment: {HF_TOKEN: \"hunter2\", X: 1}", "hunter2"),
        ("AWS_SECRET_ACCESS_KEY=hunter2", "hunter2"),
        ("\"password\" : \"hunter2\"", "hunter2"),
        ("db_password='hunter2'", "hunter2"),
        ("pushed with ghp_0123456789abcdefghijABCDEFGHIJ456789", "ghp_"),
        ("found glpat-0123456789abcdefghij", "glpat-0"),
        ("key AKIAIOSFODNN7EXAMPLE was refused", "AKIAIOSFODNN7EXAMPLE"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJzdWIi"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\n-----END OPENSSH PRIVATE KEY-----\n", "b3BlbnNzaC1r"),
        ("cut off -----BEGIN RSA PRIVATE KEY-----\nMIIEow", "MIIEow"),
    ])
    func `what is written as a secret is taken out`(text: String, secret: String) {
        let redacted = Redaction().redacted(text)
        #expect(!redacted.contains(secret), "\(redacted)")
        #expect(redacted.contains(Redaction.mark))
    }

    @Test(arguments: [
        "credentials: {tokenFile: /etc/controller/git-token, username: git}",
        "tokenVariable: GIT_TOKEN",
        "2026-12-01T14:00:00Z notice: commit=main@sha1:1eabc9a4 deployment.name=search/file-type promoted",
        "https://git.example/team/models.git was read 2s ago",
        "revision 3f2a91c0de5f2c81aa90f91d806db5cb8239516f",
    ])
    func `what is none stays`(text: String) {
        #expect(Redaction().redacted(text) == text)
    }
}
