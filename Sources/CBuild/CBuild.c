#include "CBuild.h"

#ifndef SCINTIVOL_COMMIT
#define SCINTIVOL_COMMIT "unknown"
#endif

const char *scintivol_build_commit(void) {
    return SCINTIVOL_COMMIT;
}
