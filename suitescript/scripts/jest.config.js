const configuration = require("@oracle/suitecloud-unit-testing/jest-configuration/SuiteCloudJestConfiguration");

module.exports = configuration.build({
  projectFolder: "src",
  projectType: configuration.ProjectType.ACP,
});
