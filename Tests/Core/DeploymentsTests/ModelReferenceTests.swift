import Deployments
import Testing

@Suite("References to registered models")
struct ModelReferenceTests {
    @Test(arguments: [
        ("models:/magika/7", "magika", ModelReference.Selector.version(7)),
        ("models:/team.prod.magika/12", "team.prod.magika", .version(12)),
        ("models:/magika@champion", "magika", .alias("champion")),
        ("models:/m-1@blue_2", "m-1", .alias("blue_2")),
    ])
    func `a version and an alias are read, and written the same`(
        uri: String,
        name: String,
        selector: ModelReference.Selector
    ) {
        let reference = ModelReference(uri)
        #expect(reference == ModelReference(name: name, selector: selector))
        #expect(reference?.description == uri)
    }

    @Test(arguments: [
        "models:/magika", "models:/magika/", "models:/magika/0", "models:/magika/07", "models:/magika/latest",
        "models:/magika/Production", "models:/magika@", "models:/magika@latest", "models:/magika@V7",
        "models:/@champion",
        "models:/a@b/7", "models://magika/7", "models:magika/7", "models:/magika/7/x", "models:/../7", "models:/ä/7",
        "models:/magika/99999999999", "models:/a b@c", "models:/magika@a.b", "http://x/7", "",
    ])
    func `other forms are no reference`(uri: String) {
        #expect(ModelReference(uri) == nil)
    }
}
