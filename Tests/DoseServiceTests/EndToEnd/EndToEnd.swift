import Testing

/// The whole service as processes: one test at a time, beside those of other suites, which seldom wait.
@Suite(.serialized) enum EndToEnd {}
