#include "image/adopt.hpp"

#include <fmt/format.h>

#include "image/foreign_layout.hpp"
#include "image/index_entry.hpp"
#include "image/source_image.hpp"
#include "layer/ingest.hpp"
#include "layer/merged_tree.hpp"
#include "oci/chain_id.hpp"
#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "store/adopted.hpp"
#include "store/gc.hpp"
#include "store/staging.hpp"

namespace sbx::image {
namespace {

Result<std::string> read_checked(const store::Store& store, const oci::Digest& digest,
                                 std::size_t max) {
  std::string text = SBX_TRY(store.read_blob(digest.bytes(), max));
  SBX_TRY(check_digest(text, digest, digest.str()));
  return text;
}

Result<oci::ImageConfig> read_config(const store::Store& store, const oci::Digest& digest) {
  const oci::Index index = SBX_TRY(read_foreign_index(store));
  oci::MediaType type = oci::MediaType::kOciManifest;
  for (const oci::Descriptor& entry : index.manifests) {
    type = entry.digest == digest ? entry.type() : type;
  }
  const std::string text = SBX_TRY(read_checked(store, digest, oci::kMaxManifestBytes));
  const oci::Manifest manifest = SBX_TRY(oci::Manifest::parse(text, type, digest.str()));
  const oci::Digest& config = manifest.config.digest;
  return oci::ImageConfig::parse(SBX_TRY(read_checked(store, config, kMaxStoredConfigBytes)),
                                 config.str());
}

}  // namespace

Result<oci::ChainId> adopt_image(const store::Store& own, const store::Store& other,
                                 const oci::Digest& manifest, const layer::TreeLimits& limits) {
  SBX_TRY(store::clean_leftovers(own));
  store::Staging staging = SBX_TRY(store::Staging::open(own));
  const oci::ImageConfig config = SBX_TRY(read_config(other, manifest));
  const oci::ChainId chain = oci::chain_id(config.diff_ids);
  layer::TreeBudget budget(limits);
  layer::MergedTree tree(budget);
  for (const oci::DiffId& layer : config.diff_ids) {
    const sys::Fd tar = SBX_TRY(other.open_blob(layer.bytes()));
    const std::uint64_t size = SBX_TRY(other.blob_size(layer.bytes()));
    layer::LayerIndex index(budget);
    SBX_TRY(layer::index_stored_layer(tar.get(), size, layer.str(), index)
                .context(fmt::format("making the tree of an image of '{}'", other.path())));
    SBX_TRY(tree.apply(index, layer, size));
  }
  const sys::Fd file = SBX_TRY(staging.create("tree"));
  SBX_TRY(tree.write(file.get(), chain, "tree"));
  SBX_TRY(staging.add_tree(file, "tree", chain));
  SBX_TRY(staging.publish());
  SBX_TRY(store::note_adopted(own, manifest, chain));
  return chain;
}

}  // namespace sbx::image
