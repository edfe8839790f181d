// sbx-transfer: what reads images from outside. Apart from sbx, because it links libcrypto and the decompressors
// (start-up time), because it has threads (sbx clones), and because it parses hostile bytes and so
// confines itself. Prints one JSON object on standard output; see README.md.

#include <cstdio>
#include <span>

#include "base/error_json.hpp"
#include "image/loader.hpp"
#include "store/store.hpp"
#include "transfer/confine.hpp"
#include "transfer/options.hpp"
#include "transfer/progress.hpp"

namespace {

constexpr int kFailed = 125;  // as docker: the engine failed, not the command

sbx::Json describe(const sbx::image::LoadedImage& image) {
  sbx::Json out{{"manifest", image.manifest.str()},
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

sbx::Result<sbx::image::LoadedImage> run(std::span<char* const> arguments) {
  const sbx::transfer::Options options = SBX_TRY(sbx::transfer::Options::parse(arguments));
  sbx::image::LoadRequest request;
  request.root = options.root;
  request.tags = options.tags;
  request.source = SBX_TRY(sbx::image::SourceName::parse(options.source));
  if (!options.platform.empty()) {
    request.platform = SBX_TRY(sbx::oci::Platform::parse(options.platform));
  }
  if (options.progress) {
    request.progress = sbx::transfer::ProgressPrinter();
  }
  request.source_file = SBX_TRY(sbx::image::open_source(request.source));
  const sbx::store::Store store =
      SBX_TRY(sbx::store::Store::open(options.root + "/store", sbx::store::Store::Access::kWrite));
  SBX_TRY(sbx::transfer::confine(store.dir(), request.source_file.get()));
  return sbx::image::load_image(std::move(request));
}

void print(const sbx::Json& line) {
  (void)std::puts(sbx::dump_json(line).c_str());
  (void)std::fflush(stdout);  // a reader that is gone shall not keep us from our exit code
}

}  // namespace

int main(int argc, char** argv) {
  const auto image = run(std::span(argv, static_cast<std::size_t>(argc)).subspan(argc > 0 ? 1 : 0));
  if (!image) {
    print({{"error", sbx::error_to_json(image.error())}});
    return kFailed;
  }
  print(describe(*image));
  return 0;
}
