#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "image/image_store.hpp"
#include "oci/index.hpp"
#include "store/store.hpp"

namespace sbx::image {

inline constexpr std::size_t kMaxStoredConfigBytes = std::size_t{4} << 20U;

/// The name of an entry of index.json; empty if it has none.
std::string_view entry_name(const oci::Descriptor& entry);

/// What `query` means.
enum class MatchKind { kNone, kName, kDigest, kId };
struct Match {
  MatchKind kind = MatchKind::kNone;
  oci::Digest manifest;
  std::string name;  // kName: the full name
};

/// The image that `query` means: a name first, then a digest, then the beginning of an id.
/// kInvalidArgument if several ids begin like that.
Result<Match> match_image(const store::Store& store, const oci::Index& index,
                          std::string_view query);

/// The image whose manifest has this digest, with all its names.
Result<StoredImage> read_image(const store::Store& store, const oci::Index& index,
                               const oci::Digest& manifest);

/// Puts an entry into the index. A name that another image had moves to it (that image stays, without a name); the
/// same image without a name gives way.
void add_entry(oci::Index& index, oci::Descriptor entry);

/// Every manifest digest of the index once, in order.
std::vector<oci::Digest> distinct_manifests(const oci::Index& index);

}  // namespace sbx::image
