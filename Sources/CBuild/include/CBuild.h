#pragma once

/// The commit that this program was built from, or "unknown".
const char *scintivol_build_commit(void);
