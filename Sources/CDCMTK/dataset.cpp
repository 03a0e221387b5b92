#include "dataset_file.hpp"

#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dcspchrs.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

namespace {

/// DCMTK's log quotes values of the files it reads, so it stays silent: nothing of a patient reaches standard error.
void prepare_once() {
    static const bool prepared = [] {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        DcmRLEDecoderRegistration::registerCodecs();
        DJDecoderRegistration::registerCodecs();
        DJLSDecoderRegistration::registerCodecs();
        return true;
    }();
    (void)prepared;
}

/// Runs a body and turns what it throws into an outcome.
template <typename Body> cdcmtk_outcome guarded(Body body) noexcept {
    try {
        return body();
    } catch (const std::bad_alloc &) {
        return CDCMTK_NO_MEMORY;
    } catch (...) {
        return CDCMTK_UNREADABLE;
    }
}

DcmItem *as_item(cdcmtk_item *item) {
    return reinterpret_cast<DcmItem *>(item);
}

cdcmtk_item *as_handle(DcmItem *item) {
    return reinterpret_cast<cdcmtk_item *>(item);
}

DcmTagKey key_of(uint32_t tag) {
    return DcmTagKey(static_cast<Uint16>(tag >> 16), static_cast<Uint16>(tag & 0xFFFF));
}

DcmElement *find(cdcmtk_item *item, uint32_t tag) {
    DcmElement *element = nullptr;
    return as_item(item)->findAndGetElement(key_of(tag), element).good() ? element : nullptr;
}

/// Makes an element of a given representation, lets `fill` set its value and puts it into the item.
template <typename Fill> cdcmtk_outcome put(cdcmtk_item *item, uint32_t tag, const char *vr, Fill fill) noexcept {
    return guarded([&] {
        DcmElement *made = nullptr;
        if (DcmItem::newDicomElementWithVR(made, DcmTag(key_of(tag), DcmVR(vr))).bad()) return CDCMTK_UNSUPPORTED;
        std::unique_ptr<DcmElement> element(made);
        if (fill(*element).bad()) return CDCMTK_UNSUPPORTED;
        if (as_item(item)->insert(element.get(), OFTrue).bad()) return CDCMTK_UNSUPPORTED;
        element.release();
        return CDCMTK_OK;
    });
}

template <typename Number, typename Value> std::vector<Number> converted(const Value *values, size_t count) {
    std::vector<Number> numbers(count);
    for (size_t index = 0; index < count; ++index) numbers[index] = static_cast<Number>(values[index]);
    return numbers;
}

} // namespace

cdcmtk_outcome cdcmtk_file_create(cdcmtk_file **file) {
    return guarded([&] {
        prepare_once();
        *file = new cdcmtk_file;
        return CDCMTK_OK;
    });
}

cdcmtk_outcome cdcmtk_file_read(const char *path, uint32_t longest_value, cdcmtk_file **file) {
    return guarded([&] {
        prepare_once();
        auto made = std::make_unique<cdcmtk_file>();
        const OFCondition condition =
            made->format.loadFile(OFFilename(path), EXS_Unknown, EGL_noChange, longest_value, ERM_fileOnly);
        if (condition.bad()) return CDCMTK_UNREADABLE;
        *file = made.release();
        return CDCMTK_OK;
    });
}

void cdcmtk_file_free(cdcmtk_file *file) {
    delete file;
}

cdcmtk_item *cdcmtk_file_dataset(cdcmtk_file *file) {
    return as_handle(file->format.getDataset());
}

const char *cdcmtk_file_transfer_syntax(cdcmtk_file *file) {
    const E_TransferSyntax syntax = file->format.getDataset()->getOriginalXfer();
    return syntax == EXS_Unknown ? nullptr : DcmXfer(syntax).getXferID();
}

cdcmtk_outcome cdcmtk_file_decompress(cdcmtk_file *file) {
    return guarded([&] {
        DcmDataset *dataset = file->format.getDataset();
        if (!DcmXfer(dataset->getCurrentXfer()).isEncapsulated()) return CDCMTK_OK;
        const bool decoded = dataset->chooseRepresentation(EXS_LittleEndianExplicit, nullptr).good() &&
                             dataset->canWriteXfer(EXS_LittleEndianExplicit);
        return decoded ? CDCMTK_OK : CDCMTK_UNSUPPORTED;
    });
}

cdcmtk_outcome cdcmtk_item_bytes(cdcmtk_item *item, uint32_t tag, const char **bytes, size_t *length) {
    return guarded([&] {
        DcmElement *element = find(item, tag);
        if (element == nullptr) return CDCMTK_ABSENT;
        char *found = nullptr;
        Uint32 count = 0;
        if (element->getString(found, count).bad()) return CDCMTK_UNREADABLE;
        *bytes = found;
        *length = found == nullptr ? 0 : count;
        return CDCMTK_OK;
    });
}

size_t cdcmtk_item_value_count(cdcmtk_item *item, uint32_t tag) {
    DcmElement *element = find(item, tag);
    return element == nullptr || element->getLength() == 0 ? 0 : element->getVM();
}

cdcmtk_outcome cdcmtk_item_integer(cdcmtk_item *item, uint32_t tag, size_t index, int64_t *value) {
    return guarded([&] {
        DcmElement *element = find(item, tag);
        if (element == nullptr || index >= element->getVM()) return CDCMTK_ABSENT;
        if (element->ident() == EVR_AT) {
            DcmTagKey found;
            if (element->getTagVal(found, index).bad()) return CDCMTK_UNREADABLE;
            *value = static_cast<int64_t>(found.getGroup()) << 16 | found.getElement();
            return CDCMTK_OK;
        }
        long number = 0;
        if (as_item(item)->findAndGetLongInt(key_of(tag), number, index).bad()) return CDCMTK_UNREADABLE;
        *value = number;
        return CDCMTK_OK;
    });
}

cdcmtk_outcome cdcmtk_item_float(cdcmtk_item *item, uint32_t tag, size_t index, double *value) {
    return guarded([&] {
        DcmElement *element = find(item, tag);
        if (element == nullptr || index >= element->getVM()) return CDCMTK_ABSENT;
        Float32 single = 0;
        if (element->getFloat64(*value, index).good()) return CDCMTK_OK;
        if (element->getFloat32(single, index).bad()) return CDCMTK_UNREADABLE;
        *value = single;
        return CDCMTK_OK;
    });
}

size_t cdcmtk_item_value_length(cdcmtk_item *item, uint32_t tag) {
    DcmElement *element = find(item, tag);
    return element == nullptr ? 0 : element->getLength();
}

cdcmtk_outcome cdcmtk_item_copy_value(cdcmtk_item *item, uint32_t tag, size_t offset, size_t length, void *target) {
    return guarded([&] {
        DcmElement *element = find(item, tag);
        if (element == nullptr) return CDCMTK_ABSENT;
        const size_t available = element->getLength();
        if (offset > available || length > available - offset) return CDCMTK_ABSENT;
        const OFCondition condition = element->getPartialValue(target, static_cast<Uint32>(offset),
                                                               static_cast<Uint32>(length), nullptr, EBO_LittleEndian);
        return condition.good() ? CDCMTK_OK : CDCMTK_UNREADABLE;
    });
}

size_t cdcmtk_item_sequence_count(cdcmtk_item *item, uint32_t tag) {
    DcmSequenceOfItems *sequence = nullptr;
    return as_item(item)->findAndGetSequence(key_of(tag), sequence).good() ? sequence->card() : 0;
}

cdcmtk_outcome cdcmtk_item_sequence_item(cdcmtk_item *item, uint32_t tag, size_t index, cdcmtk_item **found) {
    DcmItem *child = nullptr;
    const OFCondition condition = as_item(item)->findAndGetSequenceItem(key_of(tag), child, static_cast<long>(index));
    if (condition.bad()) return CDCMTK_ABSENT;
    *found = as_handle(child);
    return CDCMTK_OK;
}

cdcmtk_outcome cdcmtk_item_append(cdcmtk_item *item, uint32_t tag, cdcmtk_item **appended) {
    return guarded([&] {
        // By DCMTK's convention, item -2 is a new one at the end.
        DcmItem *child = nullptr;
        const DcmTag sequence(key_of(tag), DcmVR(EVR_SQ));
        if (as_item(item)->findOrCreateSequenceItem(sequence, child, -2).bad()) return CDCMTK_UNSUPPORTED;
        *appended = as_handle(child);
        return CDCMTK_OK;
    });
}

cdcmtk_outcome cdcmtk_item_put_bytes(cdcmtk_item *item, uint32_t tag, const char *vr, const char *bytes,
                                     size_t length) {
    return put(item, tag, vr,
               [&](DcmElement &element) { return element.putString(bytes, static_cast<Uint32>(length)); });
}

cdcmtk_outcome cdcmtk_item_put_integers(cdcmtk_item *item, uint32_t tag, const char *vr, const int64_t *values,
                                        size_t count) {
    return put(item, tag, vr, [&](DcmElement &element) -> OFCondition {
        switch (element.ident()) {
        case EVR_US:
            return element.putUint16Array(converted<Uint16>(values, count).data(), count);
        case EVR_SS:
            return element.putSint16Array(converted<Sint16>(values, count).data(), count);
        case EVR_UL:
            return element.putUint32Array(converted<Uint32>(values, count).data(), count);
        case EVR_SL:
            return element.putSint32Array(converted<Sint32>(values, count).data(), count);
        case EVR_AT:
            for (size_t index = 0; index < count; ++index) {
                const OFCondition condition = element.putTagVal(key_of(static_cast<uint32_t>(values[index])), index);
                if (condition.bad()) return condition;
            }
            return EC_Normal;
        default:
            return EC_IllegalCall;
        }
    });
}

cdcmtk_outcome cdcmtk_item_put_floats(cdcmtk_item *item, uint32_t tag, const char *vr, const double *values,
                                      size_t count) {
    return put(item, tag, vr, [&](DcmElement &element) {
        if (element.ident() == EVR_FL) {
            return element.putFloat32Array(converted<Float32>(values, count).data(), count);
        }
        return element.putFloat64Array(values, count);
    });
}

cdcmtk_outcome cdcmtk_item_put_words(cdcmtk_item *item, uint32_t tag, const uint16_t *words, size_t count) {
    return put(item, tag, "OW", [&](DcmElement &element) { return element.putUint16Array(words, count); });
}

cdcmtk_outcome cdcmtk_item_put_octets(cdcmtk_item *item, uint32_t tag, const uint8_t *values, size_t count) {
    return put(item, tag, "OB", [&](DcmElement &element) { return element.putUint8Array(values, count); });
}

cdcmtk_outcome cdcmtk_item_put_empty(cdcmtk_item *item, uint32_t tag, const char *vr) {
    return put(item, tag, vr, [](DcmElement &) -> OFCondition { return EC_Normal; });
}

void cdcmtk_item_remove(cdcmtk_item *item, uint32_t tag) {
    as_item(item)->findAndDeleteElement(key_of(tag));
}

cdcmtk_outcome cdcmtk_text_to_utf8(const char *character_set, const char *bytes, size_t length, char **text) {
    return guarded([&] {
        DcmSpecificCharacterSet converter;
        OFString result;
        if (converter.selectCharacterSet(character_set).bad()) return CDCMTK_UNSUPPORTED;
        if (converter.convertString(bytes, length, result, "\\^=").bad()) return CDCMTK_UNREADABLE;
        *text = strdup(result.c_str());
        return *text == nullptr ? CDCMTK_NO_MEMORY : CDCMTK_OK;
    });
}
