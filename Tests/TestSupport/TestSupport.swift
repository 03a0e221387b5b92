// Test laws.
