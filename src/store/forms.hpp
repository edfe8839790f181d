#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "oci/descriptor.hpp"
#include "oci/digest.hpp"
#include "store/store.hpp"

namespace sbx::store {

// Layers lie here uncompressed; a registry has them in some compressed form, under another digest. forms/<diff id> notes in which
// form a layer was pushed where, so that it is neither compressed nor sent again. What was pulled needs no note: the manifest that
// came says it.

/// One form of a layer, and a repository that had it in this form.
struct LayerForm {
  oci::Descriptor descriptor;  // media type, digest, size
  std::string domain;          // of the registry, as in a name; empty if not known
  std::string repository;      // "library/busybox"
};

/// Notes a form; of many the newest 16 are kept. A hint: not synced, and of two processes at once one may win.
Result<void> note_form(const Store& store, const oci::DiffId& diff_id, const LayerForm& form);

/// Newest first. A note that cannot be read is none.
std::vector<LayerForm> noted_forms(const Store& store, const oci::DiffId& diff_id);

/// Removes the notes about layers that are not among `needed` blobs; for the collector.
Result<void> sweep_forms(const Store& store, const std::set<std::string>& needed);

}  // namespace sbx::store
