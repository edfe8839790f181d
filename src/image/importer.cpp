#include "image/importer.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/json.hpp"
#include "base/rfc3339.hpp"
#include "base/sha256.hpp"
#include "image/config_change.hpp"
#include "image/installer.hpp"
#include "image/source_image.hpp"
#include "image/spool.hpp"
#include "layer/ingest.hpp"
#include "store/gc.hpp"
#include "store/staging.hpp"
#include "sys/file.hpp"

namespace sbx::image {
namespace {

struct NewLayer {
  oci::DiffId diff_id;
  std::uint64_t size = 0;
};

/// The layer among the blobs of the store, where nothing names it yet: `staging` keeps it from being collected.
Result<NewLayer> take_layer(ImportRequest& request, store::Staging& staging) {
  const sys::Fd file = SBX_TRY(seekable(std::move(request.source), staging, request.source_name));
  const struct stat st = SBX_TRY(sys::stat_fd(file.get(), request.source_name));
  const auto size = static_cast<std::uint64_t>(st.st_size);
  if (size == 0) {
    return fail(Error::make(ErrorCode::kCorrupt, "import", request.source_name, "it is empty"));
  }
  layer::FileSource source(file.get(), 0, size, request.source_name);
  const sys::Fd output = SBX_TRY(staging.create("layer"));
  layer::IngestRequest ingest;
  ingest.source = &source;
  ingest.name = request.source_name;
  ingest.compressed_size = size;
  ingest.output = output.get();
  ingest.limits = request.layer_limits;
  if (request.progress) {
    ingest.progress = [&](const layer::IngestProgress& progress) {
      request.progress({0, 1, progress.compressed, size});
    };
  }
  layer::TreeBudget budget(request.tree_limits);
  layer::LayerIndex index(budget);
  const layer::IngestedLayer layer = SBX_TRY(layer::ingest_layer(ingest, nullptr, index));
  SBX_TRY(staging.add_blob(output, "layer", layer.diff_id.bytes()));
  SBX_TRY(staging.publish());
  return NewLayer{layer.diff_id, layer.tar_size};
}

Result<std::string> make_config(const ImportRequest& request, const oci::DiffId& layer) {
  Json execution = Json::object();
  for (const std::string& change : request.changes) {
    SBX_TRY(apply_change(execution, change));
  }
  const std::string now = format_rfc3339(request.created);
  Json config{{"created", now},
              {"architecture", request.platform.architecture},
              {"os", request.platform.os},
              {"config", std::move(execution)},
              {"rootfs", {{"type", "layers"}, {"diff_ids", {layer.str()}}}},
              {"history",
               {{{"created", now},
                 {"created_by", "sbx import " + request.source_name},
                 {"comment", request.message.empty() ? "Imported from " + request.source_name
                                                     : request.message}}}}};
  if (!request.platform.variant.empty()) {
    config["variant"] = request.platform.variant;
  }
  return dump_json(config);
}

/// The layer is in the store already: nothing is left to read.
class NoLayers final : public LayerOpener {
 public:
  Result<OpenedLayer> open(std::size_t /*layer*/) override {
    return fail(Error::make(ErrorCode::kNotFound, "import", "", "the layer was removed meanwhile"));
  }
};

}  // namespace

Result<LoadedImage> import_image(ImportRequest request) {
  Json tried = Json::object();  // before the long part
  for (const std::string& change : request.changes) {
    SBX_TRY(apply_change(tried, change));
  }
  const std::vector<std::string> names = SBX_TRY(full_names(request.tags));
  const store::Store store =
      SBX_TRY(store::Store::open(request.root + "/store", store::Store::Access::kWrite));
  SBX_TRY(store::clean_leftovers(store));
  store::Staging staging = SBX_TRY(store::Staging::open(store));
  const std::string name = request.source_name;
  const NewLayer layer =
      SBX_TRY(take_layer(request, staging).context(fmt::format("importing '{}'", printable(name))));
  SourceImage image;
  image.layers.push_back({name, oci::Digest(layer.diff_id.bytes()), layer.size});
  std::string config = SBX_TRY(make_config(request, layer.diff_id));
  Sha256 hash;
  hash.update(std::as_bytes(std::span(config.data(), config.size())));
  image.config_digest = oci::Digest(hash.finish());
  SBX_TRY(take_config(image, std::move(config), request.platform));
  NoLayers layers;
  return install_image({.store = store,
                        .staging = staging,
                        .image = image,
                        .layers = layers,
                        .names = names,
                        .tree_limits = request.tree_limits,
                        .layer_limits = request.layer_limits,
                        .progress = {}});
}

}  // namespace sbx::image
