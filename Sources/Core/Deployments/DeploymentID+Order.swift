extension [DeploymentID] {
    /// Of a sorted list.
    package func firstIndex(notBefore id: DeploymentID) -> Int {
        var (low, high) = (0, self.count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Puts a name into a sorted list, or takes it out; a list of which that is true already stays as it is.
    package mutating func keepSorted(_ id: DeploymentID, isThere: Bool) {
        let place = self.firstIndex(notBefore: id)
        let wasThere = place < self.count && self[place] == id
        if isThere, !wasThere { self.insert(id, at: place) }
        if !isThere, wasThere { self.remove(at: place) }
    }
}
