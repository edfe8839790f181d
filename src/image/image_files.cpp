#include "image/image_files.hpp"

namespace sbx::image {

Result<layer::ImageTree> map_tree(const store::Store& store, const oci::ChainId& chain) {
  return layer::ImageTree::open(SBX_TRY(store.open_tree(chain)), store::Store::tree_path(chain));
}

Result<ImageFiles> open_in(const store::Store& trees, const oci::ChainId& chain,
                           const store::Store& store, const StoredImage& image) {
  Result<layer::ImageTree> tree = map_tree(trees, chain);
  if (!tree) {
    return fail(
        std::move(tree).error().with_hint("load the image again: that makes its tree anew"));
  }
  ImageFiles out{std::move(tree).value(), {}};
  const auto& wanted = image.config.diff_ids;
  if (out.tree.layer_count() != wanted.size() || out.tree.chain_id() != chain) {
    return fail(Error::make(ErrorCode::kCorrupt, "open image", image.id(),
                            "its tree belongs to another image"));
  }
  for (std::uint32_t i = 0; i < out.tree.layer_count(); ++i) {
    if (out.tree.layer(i) != wanted[i]) {
      return fail(Error::make(ErrorCode::kCorrupt, "open image", image.id(),
                              "its tree belongs to other layers"));
    }
    out.layers.push_back(SBX_TRY(store.open_blob(wanted[i].bytes())));
  }
  return out;
}

}  // namespace sbx::image
