/// The whole service as processes, which mostly wait.
enum EndToEnd {}
