import ArgumentParser
struct Queue: ParsableCommand {}
