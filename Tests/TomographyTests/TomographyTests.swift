// This module's first test.
