#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "image/archive_loader.hpp"
#include "image/loader.hpp"
#include "store/store.hpp"
#include "sys/file.hpp"
#include "transfer/confine.hpp"
#include "transfer/progress.hpp"
#include "transfer/verbs.hpp"

namespace sbx::transfer {
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

namespace {

Result<Json> load_all(const LoadOptions& options) {
  image::ArchiveRequest request;
  request.root = options.root;
  request.source = sys::Fd(STDIN_FILENO);
  request.name = options.archive;
  request.tags = options.tags;
  request.platform = SBX_TRY(platform_or_host(options.platform));
  ProgressPrinter printer;
  request.progress = printer.callback(options.progress);
  const store::Store store =
      SBX_TRY(store::Store::open(options.root + "/store", store::Store::Access::kWrite));
  // What is open is read as it is; only the files of a directory are opened by name.
  const std::array<int, 2> reach{store.dir(), request.source.get()};
  const struct stat st = SBX_TRY(sys::stat_fd(request.source.get(), request.name));
  SBX_TRY(
      confine(std::span(reach).first(1), std::span(reach).subspan(S_ISDIR(st.st_mode) ? 1 : 2)));
  Json images = Json::array();
  for (const image::LoadedImage& image : SBX_TRY(image::load_archive(std::move(request)))) {
    images.push_back(describe(image));
  }
  return Json{{"images", std::move(images)}};
}

}  // namespace

Result<Json> load(Words words) {
  const LoadOptions options = SBX_TRY(LoadOptions::parse(words));
  if (!options.archive.empty()) {
    return load_all(options);
  }
  image::LoadRequest request;
  request.root = options.root;
  request.tags = options.tags;
  request.source = SBX_TRY(image::SourceName::parse(options.source));
  request.platform = SBX_TRY(platform_or_host(options.platform));
  ProgressPrinter printer;
  request.progress = printer.callback(options.progress);
  request.source_file = SBX_TRY(image::open_source(request.source));
  const store::Store store =
      SBX_TRY(store::Store::open(options.root + "/store", store::Store::Access::kWrite));
  SBX_TRY(confine(store.dir(), request.source_file.get()));
  return describe(SBX_TRY(image::load_image(std::move(request))));
}

}  // namespace sbx::transfer
