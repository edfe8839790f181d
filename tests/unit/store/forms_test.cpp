#include "store/forms.hpp"

#include <catch2/catch.hpp>

#include "sys/file.hpp"
#include "temporary_dir.hpp"

namespace sbx::store {
namespace {

oci::DiffId diff_id(char digit) {
  return oci::DiffId::parse("sha256:" + std::string(64, digit)).value();
}

LayerForm form(char digit, const std::string& repository) {
  LayerForm out;
  out.descriptor.media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
  out.descriptor.digest = oci::Digest::parse("sha256:" + std::string(64, digit)).value();
  out.descriptor.size = 17;
  out.domain = "localhost:5000";
  out.repository = repository;
  return out;
}

struct Fixture {
  TemporaryDir dir;
  Store store = Store::open(dir.path + "/store", Store::Access::kWrite).value();
};

}  // namespace

TEST_CASE("forms: the newest come first, each once, and not without end") {
  const Fixture fixture;
  CHECK(noted_forms(fixture.store, diff_id('a')).empty());
  for (int i = 0; i < 20; ++i) {
    REQUIRE(note_form(fixture.store, diff_id('a'), form('1', "name" + std::to_string(i))));
  }
  REQUIRE(note_form(fixture.store, diff_id('a'), form('1', "name10")));
  const std::vector<LayerForm> forms = noted_forms(fixture.store, diff_id('a'));
  REQUIRE(forms.size() == 16);
  CHECK(forms[0].repository == "name10");
  CHECK(forms[1].repository == "name19");
  CHECK(forms[0].domain == "localhost:5000");
  CHECK(forms[0].descriptor.size == 17);
  CHECK(forms[0].descriptor.digest == form('1', "").descriptor.digest);
  CHECK(noted_forms(fixture.store, diff_id('b')).empty());
}

TEST_CASE("forms: what is damaged is no note, and what nothing needs is swept") {
  const Fixture fixture;
  REQUIRE(sweep_forms(fixture.store, {}));
  REQUIRE(note_form(fixture.store, diff_id('a'), form('1', "x")));
  REQUIRE(note_form(fixture.store, diff_id('b'), form('2', "x")));
  for (const char* const text : {"", "{", "{}", "[1, {\"digest\": 3}]"}) {
    REQUIRE(sys::write_file_at(fixture.store.dir(), "forms/" + diff_id('a').hex(), text, 0600,
                               sys::Durability::kCached));
    CHECK(noted_forms(fixture.store, diff_id('a')).empty());
  }
  REQUIRE(sweep_forms(fixture.store, {diff_id('b').hex()}));
  CHECK_FALSE(sys::exists_at(fixture.store.dir(), "forms/" + diff_id('a').hex()));
  CHECK(noted_forms(fixture.store, diff_id('b')).size() == 1);
}

}  // namespace sbx::store
