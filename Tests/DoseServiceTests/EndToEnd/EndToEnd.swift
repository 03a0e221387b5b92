import Testing

/// The whole service as processes. One test at a time: each needs both cores.
@Suite(.serialized) enum EndToEnd {}
