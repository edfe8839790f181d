#include "store/pending.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "store/gc.hpp"
#include "store/staging.hpp"
#include "sys/file.hpp"
#include "temporary_dir.hpp"

using namespace sbx;
using store::Pending;
using store::Staging;
using store::Store;

namespace {

oci::DigestBytes number(std::uint8_t n) {
  oci::DigestBytes bytes{};
  bytes[31] = n;
  return bytes;
}

/// A store with the layers 1 and 2, which no image names; 1 is noted as pending.
struct Fixture {
  Fixture() {
    Staging staging = Staging::open(store).value();
    REQUIRE(staging.add_blob("one", number(1)));
    REQUIRE(staging.add_blob("two", number(2)));
    REQUIRE(staging.publish());
  }
  TemporaryDir dir;
  Store store = Store::open(dir.path + "/store", Store::Access::kWrite).value();
  oci::ChainId chain{number(9)};
  Pending pending = Pending::note(store, chain, {oci::DiffId(number(1))}).value();
};

}  // namespace

TEST_CASE("the finished layers of an unfinished pull are kept") {
  Fixture made;
  REQUIRE(store::collect_garbage(made.store).value().ran);
  CHECK(made.store.has_blob(number(1)));
  CHECK_FALSE(made.store.has_blob(number(2)));
}

TEST_CASE("what nobody wants any more is collected") {
  Fixture made;
  made.pending.forget();
  REQUIRE(store::collect_garbage(made.store));
  CHECK_FALSE(made.store.has_blob(number(1)));
  made.pending.forget();  // another pull was quicker: no harm
}

TEST_CASE("a pull that was given up is forgotten after a week") {
  Fixture made;
  const std::string note = "pending/" + made.chain.hex();
  const timespec old[2] = {{1, 0}, {1, 0}};
  REQUIRE(::utimensat(made.store.dir(), note.c_str(), old, 0) == 0);
  REQUIRE(store::collect_garbage(made.store));
  CHECK_FALSE(made.store.has_blob(number(1)));
  CHECK_FALSE(sys::exists_at(made.store.dir(), note));
}

TEST_CASE("a layer is fetched by one at a time, and its lock leaves no file") {
  Fixture made;
  const std::string path = "pending/" + oci::DiffId(number(1)).hex() + ".lock";
  {
    const auto lock = made.pending.lock_layer(oci::DiffId(number(1)));
    REQUIRE(lock);
    const auto second =
        sys::FileLock::try_acquire(made.store.dir(), path, sys::FileLock::Kind::kExclusive);
    REQUIRE(second);
    CHECK_FALSE(second->has_value());
  }
  REQUIRE(store::collect_garbage(made.store));
  CHECK_FALSE(sys::exists_at(made.store.dir(), path));
}
