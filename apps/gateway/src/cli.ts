import {name} from '@tidegate/server'; console.log(name)
