import ArgumentParser
struct Training: ParsableCommand {}
