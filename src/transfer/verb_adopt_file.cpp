#include <unistd.h>

#include "image/squash_adopt.hpp"
#include "layer/squash_codec.hpp"
#include "store/store.hpp"
#include "transfer/confine.hpp"
#include "transfer/verbs.hpp"

namespace sbx::transfer {

Result<Json> adopt_file(Words words) {
  const AdoptFileOptions options = SBX_TRY(AdoptFileOptions::parse(words));
  const oci::Platform platform = SBX_TRY(platform_or_host(options.platform));
  const store::Store own =
      SBX_TRY(store::Store::open(options.root + "/store", store::Store::Access::kWrite));
  SBX_TRY(layer::load_squash_library());
  const int write = own.dir();
  SBX_TRY(confine(std::span(&write, 1), {}));
  return Json{
      {"key", SBX_TRY(image::adopt_squash(own, {STDIN_FILENO, options.path}, platform)).hex()}};
}

}  // namespace sbx::transfer
