#include "image/loader.hpp"
#include "store/store.hpp"
#include "transfer/confine.hpp"
#include "transfer/progress.hpp"
#include "transfer/verbs.hpp"

namespace sbx::transfer {
namespace {

Json describe(const image::LoadedImage& image) {
  Json out{{"manifest", image.manifest.str()},
           {"config", image.config.str()},
           {"chain", image.chain.str()},
           {"names", image.names},
           {"size", image.size},
           {"already", image.already}};
  if (image.source) {
    out["source"] = image.source->str();
  }
  return out;
}

}  // namespace

Result<Json> load(Words words) {
  const LoadOptions options = SBX_TRY(LoadOptions::parse(words));
  image::LoadRequest request;
  request.root = options.root;
  request.tags = options.tags;
  request.source = SBX_TRY(image::SourceName::parse(options.source));
  if (!options.platform.empty()) {
    request.platform = SBX_TRY(oci::Platform::parse(options.platform));
  }
  ProgressPrinter printer;
  if (options.progress) {
    request.progress = [&](const image::LoadProgress& progress) { printer.print(progress); };
  }
  request.source_file = SBX_TRY(image::open_source(request.source));
  const store::Store store =
      SBX_TRY(store::Store::open(options.root + "/store", store::Store::Access::kWrite));
  SBX_TRY(confine(store.dir(), request.source_file.get()));
  return describe(SBX_TRY(image::load_image(std::move(request))));
}

}  // namespace sbx::transfer
