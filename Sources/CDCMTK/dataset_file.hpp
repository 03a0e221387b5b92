#pragma once

#include "dataset.h"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dcfilefo.h>

struct cdcmtk_file {
    DcmFileFormat format;
};
