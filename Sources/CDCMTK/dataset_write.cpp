#include "dataset_file.hpp"

#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmdata/dcwcache.h>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr size_t buffer_bytes = 1 << 20;

bool write_all(int descriptor, const char *bytes, size_t count) {
    while (count > 0) {
        const ssize_t written = write(descriptor, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes += written;
        count -= static_cast<size_t>(written);
    }
    return true;
}

bool flush(DcmOutputBufferStream &stream, int descriptor) {
    void *bytes = nullptr;
    offile_off_t count = 0;
    stream.flushBuffer(bytes, count);
    return write_all(descriptor, static_cast<const char *>(bytes), static_cast<size_t>(count));
}

/// Serialises through a buffer of our own: DCMTK's file stream overlooks what fclose says, so that a full disk would
/// leave a file cut short and no error.
bool write_format(DcmFileFormat &format, int descriptor) {
    std::vector<char> buffer(buffer_bytes);
    DcmOutputBufferStream stream(buffer.data(), static_cast<offile_off_t>(buffer.size()));
    DcmWriteCache cache;
    // The meta header names class and instance of the dataset as it is now, not as it was read.
    if (format.validateMetaInfo(EXS_LittleEndianExplicit, EWM_createNewMeta).bad()) return false;
    format.transferInit();
    OFCondition condition = EC_StreamNotifyClient;
    while (condition == EC_StreamNotifyClient) {
        condition = format.write(stream, EXS_LittleEndianExplicit, EET_ExplicitLength, &cache, EGL_withoutGL,
                                 EPD_withoutPadding, 0, 0, 0, EWM_dontUpdateMeta);
        if (!flush(stream, descriptor)) return false;
    }
    format.transferEnd();
    return condition.good();
}

/// A device such as /dev/null has nothing to make durable, and says EINVAL.
bool sync_to_disk(int descriptor) {
    return fsync(descriptor) == 0 || errno == EINVAL;
}

} // namespace

cdcmtk_outcome cdcmtk_file_write(cdcmtk_file *file, const char *path) {
    try {
        const int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
        if (descriptor < 0) return CDCMTK_UNWRITABLE;
        const bool written = write_format(file->format, descriptor) && sync_to_disk(descriptor);
        return close(descriptor) == 0 && written ? CDCMTK_OK : CDCMTK_UNWRITABLE;
    } catch (...) {
        return CDCMTK_UNWRITABLE;
    }
}
