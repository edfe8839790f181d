// The part of ImageStore that looks into stores of others: nothing is written or locked there.

#include <fmt/format.h>

#include <algorithm>

#include "image/foreign_layout.hpp"
#include "image/image_files.hpp"
#include "image/image_store.hpp"
#include "image/index_entry.hpp"
#include "store/adopted.hpp"

namespace sbx::image {

Result<std::optional<StoredImage>> ImageStore::find_additional(std::string_view name) const {
  for (const store::Store& store : additional_) {
    const Result<oci::Index> index = read_foreign_index(store);
    if (!index) {
      continue;
    }
    const Match match = SBX_TRY(match_image(store, *index, name));
    if (match.kind != MatchKind::kNone) {
      StoredImage image = SBX_TRY(read_image(store, *index, match.manifest)
                                      .context(fmt::format("reading '{}'", store.path())));
      image.read_only = true;
      image.store = store.path();
      return std::optional<StoredImage>(std::move(image));
    }
  }
  return std::optional<StoredImage>{};
}

const store::Store* ImageStore::store_of(const StoredImage& image) const {
  const auto it =
      std::find_if(additional_.begin(), additional_.end(),
                   [&](const store::Store& store) { return store.path() == image.store; });
  return it == additional_.end() ? nullptr : &*it;
}

std::optional<oci::ChainId> ImageStore::chain_of(const StoredImage& image) const {
  if (image.chain_id != oci::ChainId()) {
    return image.chain_id;
  }
  const Result<std::optional<store::Store>> own = open_store();
  return own && *own ? store::find_adopted(**own, image.manifest) : std::nullopt;
}

Result<ImageFiles> ImageStore::open_additional(const StoredImage& image) const {
  const store::Store* const store = store_of(image);
  const std::optional<oci::ChainId> chain = chain_of(image);
  if (store == nullptr || !chain) {
    return fail(Error::make(ErrorCode::kNotFound, "open image", image.id(),
                            "it has no tree, and its store is read-only"));
  }
  if (map_tree(*store, *chain)) {
    return open_in(*store, *chain, *store, image);
  }
  const std::optional<store::Store> own = SBX_TRY(open_store());
  return open_in(own ? *own : *store, *chain, *store, image);
}

bool ImageStore::is_ready(const StoredImage& image) const {
  if (!image.read_only) {
    return true;
  }
  const Result<std::optional<store::Store>> own = open_store();
  const store::Store* const store = store_of(image);
  const std::optional<oci::ChainId> chain = chain_of(image);
  return chain && store != nullptr && has_plain_layers(image) &&
         (map_tree(*store, *chain) || (own && *own && map_tree(**own, *chain)));
}

bool ImageStore::has_plain_layers(const StoredImage& image) const {
  const store::Store* const store = store_of(image);
  const auto& layers = image.config.diff_ids;
  return store != nullptr && std::all_of(layers.begin(), layers.end(), [&](const oci::DiffId& id) {
           return store->has_blob(id.bytes());
         });
}

Result<void> ImageStore::refuse_additional(std::string_view verb, std::string_view name) const {
  if (additional_.empty() || SBX_TRY(try_find_own(name))) {
    return {};
  }
  const std::optional<StoredImage> image = SBX_TRY(find_additional(name));
  return !image ? Result<void>()
                : fail(Error::make(
                      ErrorCode::kDenied, fmt::format("{} image", verb), name,
                      fmt::format("it lies in the additional store '{}', which is read-only",
                                  printable(image->store))));
}

}  // namespace sbx::image
