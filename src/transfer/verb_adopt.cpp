#include <fcntl.h>

#include "image/adopt.hpp"
#include "store/store.hpp"
#include "transfer/confine.hpp"
#include "transfer/verbs.hpp"

namespace sbx::transfer {

Result<Json> adopt(Words words) {
  const AdoptOptions options = SBX_TRY(AdoptOptions::parse(words));
  const oci::Digest manifest = SBX_TRY(oci::Digest::parse(options.manifest));
  const store::Store own =
      SBX_TRY(store::Store::open(options.root + "/store", store::Store::Access::kWrite));
  const store::Store other =
      SBX_TRY(store::Store::open(options.store, store::Store::Access::kRead));
  const int write = own.dir();
  const int read = other.dir();
  SBX_TRY(confine(std::span(&write, 1), std::span(&read, 1)));
  return Json{{"chain", SBX_TRY(image::adopt_image(own, other, manifest)).str()}};
}

}  // namespace sbx::transfer
