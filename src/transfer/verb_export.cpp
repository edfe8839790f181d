#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <limits>
#include <vector>

#include "layer/image_tree.hpp"
#include "layer/squash_codec.hpp"
#include "overlay/core/lower_tree.hpp"
#include "overlay/core/upper.hpp"
#include "store/squashed.hpp"
#include "store/store.hpp"
#include "sys/file.hpp"
#include "transfer/confine.hpp"
#include "transfer/tree_archive.hpp"
#include "transfer/verbs.hpp"

namespace sbx::transfer {
namespace {

constexpr std::uint32_t kAllIds = std::numeric_limits<std::uint32_t>::max();

/// The first store that has it.
Result<sys::Fd> open_layer(const std::vector<store::Store>& stores, const oci::DiffId& layer) {
  for (const store::Store& store : stores) {
    if (store.has_blob(layer.bytes())) {
      return store.open_blob(layer.bytes());
    }
  }
  return fail(Error::make(ErrorCode::kNotFound, "open layer", layer.str(), "it is in no store")
                  .with_hint("the container's image was removed; pull or load it again"));
}

/// The SIF or squashfs below a container, if it has one, as it was; invalid if the tree is that of an image. Opened before
/// the process is confined: it can lie anywhere.
Result<sys::Fd> open_squash(const store::Store& store, const oci::ChainId& chain) {
  const std::optional<Json> note = store::find_squashed(store, chain);
  const std::optional<std::string> path =
      note ? SBX_TRY(find_string(*note, "path")) : std::optional<std::string>();
  if (!path) {
    return sys::Fd();
  }
  sys::Fd file = SBX_TRY(sys::open_at(AT_FDCWD, *path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  if (SBX_TRY(store::squash_key_of(file.get(), *path)) != chain) {
    return fail(Error::make(ErrorCode::kNotFound, "find the image below", *path,
                            "it is not the file any more that the container was made from"));
  }
  SBX_TRY(layer::load_squash_library());
  return file;
}

Result<std::unique_ptr<overlay::Lower>> open_lower(const std::vector<store::Store>& stores,
                                                   const oci::ChainId& chain, sys::Fd squash) {
  for (const store::Store& store : stores) {
    if (!store.has_tree(chain)) {
      continue;
    }
    layer::ImageTree tree = SBX_TRY(
        layer::ImageTree::open(SBX_TRY(store.open_tree(chain)), store::Store::tree_path(chain)));
    std::vector<sys::Fd> layers;
    const std::uint32_t tars = squash ? 0 : tree.layer_count();
    if (squash) {
      layers.push_back(std::move(squash));
    }
    for (std::uint32_t i = 0; i < tars; ++i) {
      layers.push_back(SBX_TRY(open_layer(stores, tree.layer(i))));
    }
    return std::unique_ptr<overlay::Lower>(
        SBX_TRY(overlay::LowerTree::make(std::move(tree), std::move(layers))));
  }
  return fail(
      Error::make(ErrorCode::kNotFound, "find the image below", chain.str(), "it is in no store")
          .with_hint("the container's image was removed; pull or load it again"));
}

Result<std::vector<store::Store>> open_stores(const ExportOptions& options) {
  std::vector<store::Store> out;
  out.push_back(SBX_TRY(store::Store::open(options.root + "/store", store::Store::Access::kRead)));
  for (const std::string& path : options.stores) {
    out.push_back(SBX_TRY(store::Store::open_additional(path)));
  }
  return out;
}

}  // namespace

Result<Json> export_container(Words words) {
  const ExportOptions options = SBX_TRY(ExportOptions::parse(words));
  const oci::ChainId chain = SBX_TRY(oci::ChainId::parse(options.chain));
  const std::vector<store::Store> stores = SBX_TRY(open_stores(options));
  const auto directory = [&](const char* name) {
    return sys::open_at(AT_FDCWD, options.container + "/" + name, O_RDONLY | O_DIRECTORY);
  };
  sys::Fd upper = SBX_TRY(directory("upper"));
  sys::Fd work = SBX_TRY(directory("work"));
  const std::array<int, 2> write{upper.get(), work.get()};
  std::vector<int> read;
  for (const store::Store& store : stores) {
    read.push_back(store.dir());
  }
  const sys::FileLock lock = SBX_TRY(stores.front().use_lock());
  sys::Fd squash = SBX_TRY(open_squash(stores.front(), chain));
  SBX_TRY(confine(write, read));
  overlay::Overlay::Options parts;
  parts.lower = SBX_TRY(open_lower(stores, chain, std::move(squash)));
  parts.upper = SBX_TRY(overlay::Upper::open(std::move(upper), std::move(work)));
  parts.ids = overlay::IdView::full({{0, kAllIds}}, {{0, kAllIds}});
  parts.acls = true;
  const auto tree = SBX_TRY(overlay::Overlay::make(std::move(parts)));
  auto archive = SBX_TRY(layer::ArchiveWriter::open(STDIN_FILENO, options.name));
  SBX_TRY(write_tree(*tree, archive));
  return Json::object();
}

}  // namespace sbx::transfer
