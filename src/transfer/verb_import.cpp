#include <unistd.h>

#include <ctime>

#include "image/importer.hpp"
#include "store/store.hpp"
#include "transfer/confine.hpp"
#include "transfer/progress.hpp"
#include "transfer/verbs.hpp"

namespace sbx::transfer {

Result<Json> import(Words words) {
  const ImportOptions options = SBX_TRY(ImportOptions::parse(words));
  image::ImportRequest request;
  request.root = options.root;
  request.source = sys::Fd(STDIN_FILENO);
  request.source_name = options.name;
  request.tags = options.tags;
  request.changes = options.changes;
  request.message = options.message;
  request.created = std::time(nullptr);
  request.platform = SBX_TRY(platform_or_host(options.platform));
  ProgressPrinter printer;
  request.progress = printer.callback(options.progress);
  const store::Store store =
      SBX_TRY(store::Store::open(options.root + "/store", store::Store::Access::kWrite));
  const int reach = store.dir();
  SBX_TRY(confine(std::span(&reach, 1), {}));
  return describe(SBX_TRY(image::import_image(std::move(request))));
}

}  // namespace sbx::transfer
