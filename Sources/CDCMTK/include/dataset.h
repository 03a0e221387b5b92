#pragma once

// DICOM files and datasets by DCMTK's dcmdata, without a C++ type or exception in sight.
//
// A tag is passed as group << 16 | element, a value representation by its two letters.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A DICOM file in memory, owned by the caller.
typedef struct cdcmtk_file cdcmtk_file;

/// A dataset or an item of a sequence; it lives as long as its file.
typedef struct cdcmtk_item cdcmtk_item;

typedef enum cdcmtk_outcome {
    CDCMTK_OK = 0,
    /// The attribute, item or value does not exist.
    CDCMTK_ABSENT,
    /// Not a DICOM file, cut short, or its value cannot be read as asked.
    CDCMTK_UNREADABLE,
    /// The disk took less than was written, or refused to make it durable.
    CDCMTK_UNWRITABLE,
    /// No decoder for this transfer syntax, or no such value representation.
    CDCMTK_UNSUPPORTED,
    CDCMTK_NO_MEMORY,
} cdcmtk_outcome;

cdcmtk_outcome cdcmtk_file_create(cdcmtk_file **file);

/// Reads a file with preamble and meta header. Values longer than `longest_value` bytes stay on disk until they are
/// asked for, so the file must stay where it is.
cdcmtk_outcome cdcmtk_file_read(const char *path, uint32_t longest_value, cdcmtk_file **file);

void cdcmtk_file_free(cdcmtk_file *file);

/// The dataset of a file, without the meta header.
cdcmtk_item *cdcmtk_file_dataset(cdcmtk_file *file);

/// The UID of the transfer syntax in which the file came; a static string, or NULL when it is unknown.
const char *cdcmtk_file_transfer_syntax(cdcmtk_file *file);

/// Decodes compressed pixel data: RLE, JPEG and JPEG-LS.
cdcmtk_outcome cdcmtk_file_decompress(cdcmtk_file *file);

/// Writes preamble, meta header and dataset in explicit little endian, and makes the file durable.
cdcmtk_outcome cdcmtk_file_write(cdcmtk_file *file, const char *path);

/// A string value's bytes as they came, in the dataset's own character set; they live until the item changes.
cdcmtk_outcome cdcmtk_item_bytes(cdcmtk_item *item, uint32_t tag, const char **bytes, size_t *length);

/// How many values a binary attribute holds: 0 when it is empty or absent.
size_t cdcmtk_item_value_count(cdcmtk_item *item, uint32_t tag);

/// One value of an attribute of representation US, SS, UL, SL or AT.
cdcmtk_outcome cdcmtk_item_integer(cdcmtk_item *item, uint32_t tag, size_t index, int64_t *value);

/// One value of an attribute of representation FD or FL.
cdcmtk_outcome cdcmtk_item_float(cdcmtk_item *item, uint32_t tag, size_t index, double *value);

/// The length of a value in bytes: 0 when it is empty or absent.
size_t cdcmtk_item_value_length(cdcmtk_item *item, uint32_t tag);

/// Copies a part of a value, little endian, from memory or disk.
cdcmtk_outcome cdcmtk_item_copy_value(cdcmtk_item *item, uint32_t tag, size_t offset, size_t length, void *target);

/// How many items a sequence holds: 0 when it is empty or absent.
size_t cdcmtk_item_sequence_count(cdcmtk_item *item, uint32_t tag);

cdcmtk_outcome cdcmtk_item_sequence_item(cdcmtk_item *item, uint32_t tag, size_t index, cdcmtk_item **found);

/// Adds an item to the end of a sequence, which is made when it is not there.
cdcmtk_outcome cdcmtk_item_append(cdcmtk_item *item, uint32_t tag, cdcmtk_item **appended);

/// Puts a string value; an old one is replaced.
cdcmtk_outcome cdcmtk_item_put_bytes(cdcmtk_item *item, uint32_t tag, const char *vr, const char *bytes, size_t length);

/// Puts values of representation US, SS, UL, SL or AT; an old value is replaced.
cdcmtk_outcome cdcmtk_item_put_integers(cdcmtk_item *item, uint32_t tag, const char *vr, const int64_t *values,
                                        size_t count);

/// Puts values of representation FD or FL; an old value is replaced.
cdcmtk_outcome cdcmtk_item_put_floats(cdcmtk_item *item, uint32_t tag, const char *vr, const double *values,
                                      size_t count);

/// Puts 16-bit words of representation OW; an old value is replaced.
cdcmtk_outcome cdcmtk_item_put_words(cdcmtk_item *item, uint32_t tag, const uint16_t *words, size_t count);

/// Puts bytes of representation OB; an old value is replaced. An odd count is padded.
cdcmtk_outcome cdcmtk_item_put_octets(cdcmtk_item *item, uint32_t tag, const uint8_t *values, size_t count);

/// Puts an attribute or sequence without a value; an old value is replaced.
cdcmtk_outcome cdcmtk_item_put_empty(cdcmtk_item *item, uint32_t tag, const char *vr);

/// Removes an attribute when it is there.
void cdcmtk_item_remove(cdcmtk_item *item, uint32_t tag);

/// Converts text to UTF-8. The result is freed with `free`.
///
/// `character_set` is the value of SpecificCharacterSet.
cdcmtk_outcome cdcmtk_text_to_utf8(const char *character_set, const char *bytes, size_t length, char **text);

#ifdef __cplusplus
}
#endif
