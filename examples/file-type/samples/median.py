"""The median of a stream of numbers, with two heaps."""

import heapq


class Median:
    def __init__(self) -> None:
        self.low: list[float] = []  # a max-heap, negated
        self.high: list[float] = []

    def add(self, value: float) -> None:
        heapq.heappush(self.high, -heapq.heappushpop(self.low, -value))
        if len(self.high) > len(self.low):
            heapq.heappush(self.low, -heapq.heappop(self.high))

    @property
    def value(self) -> float:
        if len(self.low) > len(self.high):
            return -self.low[0]
        return (self.high[0] - self.low[0]) / 2
