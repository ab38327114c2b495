package example;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

public final class Counter {
    private final Map<String, LongAdder> counts = new ConcurrentHashMap<>();

    public void add(String name) {
        counts.computeIfAbsent(name, key -> new LongAdder()).increment();
    }

    public long get(String name) {
        LongAdder count = counts.get(name);
        return count == null ? 0 : count.sum();
    }

    public static void main(String[] args) {
        Counter counter = new Counter();
        for (String arg : args) {
            counter.add(arg);
        }
        System.out.println(counter.counts);
    }
}
